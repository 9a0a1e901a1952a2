/*
 * What every answer carries, whoever makes it: also those that are made before any route is found. A page of ours without
 * these headers would be a way around them for whoever runs script elsewhere on the same address.
 */

const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; " +
  "font-src 'self'; manifest-src 'self'; frame-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const shared = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const;

export const ownHeaders = {
  ...shared,
  'content-security-policy': pagePolicy,
  'cross-origin-opener-policy': 'same-origin',
  // What depends on who asks is nobody else's; routes that are the same for all say so themselves.
  'cache-control': 'no-store',
} as const;

/** The policy of the console's page: what its own styles carry is one nonce per answer. */
export function policyWithNonce(nonce: string): string {
  return pagePolicy.replace("style-src 'self'", `style-src 'self' 'nonce-${nonce}'`);
}

/**
 * Of the flow editor, below `path`. It is served from our own address and runs script that whoever writes flows can
 * change (a function node gets out of its sandbox in one line). So it is shut in: it reaches nothing but what lies below
 * `path`, opens no window and no frame; and as it opens ours with another opener policy than ours, a browser gives it no
 * hold of them.
 */
export function editorHeaders(
  scheme: string,
  host: string | undefined,
  path: string,
): Readonly<Record<string, string>> {
  const isName = host !== undefined && /^[\w.-]{1,253}(:\d{1,5})?$/.test(host);
  const own = isName ? `${scheme}://${host}${path}/` : "'none'";
  const sockets = isName ? ` ${scheme === 'https' ? 'wss' : 'ws'}://${host}${path}/` : '';
  return {
    ...shared,
    'content-security-policy':
      `default-src 'none'; script-src ${own} 'unsafe-inline' 'unsafe-eval'; style-src ${own} 'unsafe-inline'; ` +
      `img-src ${own} data: blob:; font-src ${own} data:; media-src ${own} data:; manifest-src ${own}; ` +
      `connect-src ${own}${sockets}; worker-src ${own} blob:; frame-src 'none'; object-src 'none'; ` +
      `form-action ${own}; base-uri 'none'; frame-ancestors 'none'; ` +
      'sandbox allow-scripts allow-same-origin allow-forms allow-modals allow-downloads',
    'cross-origin-opener-policy': 'unsafe-none',
  };
}

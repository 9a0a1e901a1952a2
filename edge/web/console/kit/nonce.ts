/**
 * Gives every <style> that a library makes the nonce of this page. Ant Design passes it on where it knows of it, but some of
 * its parts (the scroll lock of dialogs) make styles without, which the policy then refuses. Scripts are only ours
 * (script-src 'self'), so whoever can call this could have read the nonce.
 */
export function giveNonceToStyles(nonce: string): void {
  const create = document.createElement.bind(document);
  const createWithNonce = (name: string, options?: ElementCreationOptions): HTMLElement => {
    const element = create(name, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  };
  Object.defineProperty(document, 'createElement', { value: createWithNonce, configurable: true, writable: true });
}

/** What the server put into index.html; undefined where nobody did (a development server). */
export function nonceOfPage(): string | undefined {
  const content = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;
  return content === undefined || content === '' || content.startsWith('__') ? undefined : content;
}

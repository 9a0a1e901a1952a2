import type { ReactNode } from 'react';

/**
 * A link that fetches a file: `href` is relative to the console (`api/v1/assets.csv`), so that it also works below a
 * prefix of a reverse proxy. Looks like a button.
 */
export function DownloadLink({
  href,
  name,
  children,
}: {
  readonly href: string;
  readonly name?: string;
  readonly children: ReactNode;
}) {
  return (
    <a className="kit-button" href={fromHere(href)} download={name ?? ''}>
      {children}
    </a>
  );
}

/** An address of our own server, from wherever the console is served. */
export function fromHere(path: string): string {
  return new URL(path, document.baseURI.split('#')[0]).href;
}

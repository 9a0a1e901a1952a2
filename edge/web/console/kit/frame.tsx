import { type ReactNode, useEffect, useRef } from 'react';
import { frameWords } from './frame-words.ts';
import { useWords } from './language.tsx';
import { usePreference } from './preferences.ts';

/* The frame around every page: bar on top, navigation at the side (below on phones), banner, content. */

export interface NavItem {
  /** Of a link: `#/alarms`. */
  readonly href: string;
  readonly label: string;
  readonly icon: ReactNode;
  readonly isCurrent: boolean;
  /** A count beside it, e.g. of open alarms; 0 shows nothing. */
  readonly count?: number;
  /** Opens elsewhere. */
  readonly isExternal?: boolean;
}

export interface NavGroup {
  readonly label: string;
  readonly items: readonly NavItem[];
}

export interface FrameProps {
  readonly brand: ReactNode;
  readonly bar: ReactNode;
  readonly groups: readonly NavGroup[];
  /** hrefs that stay in the bottom bar of a phone, at most four; the rest is behind "more". */
  readonly firstOnPhone: readonly string[];
  /** What everybody must know before anything else; null: nothing. */
  readonly banner: ReactNode;
  readonly children: ReactNode;
}

export function Frame({ brand, bar, groups, firstOnPhone, banner, children }: FrameProps) {
  const words = useWords(frameWords);
  const [folded, setFolded] = usePreference<'no' | 'yes'>('folded', ['no', 'yes']);
  const items = groups.flatMap((group) => group.items);
  const isFolded = folded === 'yes';
  return (
    <div className="kit-frame" data-folded={isFolded}>
      {/* biome-ignore lint/a11y/useValidAnchor: it goes to a place on the page; the address bar belongs to the routes. */}
      <a className="kit-skip" href="#content" onClick={focusContent}>
        {words.skip}
      </a>
      <header className="kit-bar">
        {brand}
        {bar}
      </header>
      <nav className="kit-side" aria-label={words.mainNavigation}>
        {groups.map((group) => (
          <div key={group.label} className="kit-group">
            <div className="kit-group-label">{group.label}</div>
            <ul>
              {group.items.map((item) => (
                <li key={item.href}>
                  <NavLink item={item} />
                </li>
              ))}
            </ul>
          </div>
        ))}
        <button
          type="button"
          className="kit-fold"
          aria-expanded={!isFolded}
          onClick={() => setFolded(isFolded ? 'no' : 'yes')}
        >
          <span aria-hidden="true">{isFolded ? '»' : '«'}</span>
          <span className="kit-nav-label">{isFolded ? words.expand : words.collapse}</span>
        </button>
      </nav>
      <PhoneBar items={items} first={firstOnPhone} />
      <main className="kit-main" id="content" tabIndex={-1}>
        <div className="kit-banner-place" aria-live="polite">
          {banner}
        </div>
        {children}
      </main>
    </div>
  );
}

function focusContent(event: { preventDefault(): void }): void {
  // The address is the route's: a fragment link would leave the page.
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function NavLink({ item, onClick }: { readonly item: NavItem; readonly onClick?: () => void }) {
  return (
    <a
      href={item.href}
      className="kit-nav-link"
      aria-current={item.isCurrent ? 'page' : undefined}
      title={item.label}
      {...(item.isExternal ? { target: '_blank', rel: 'noopener' } : {})}
      {...(onClick === undefined ? {} : { onClick })}
    >
      <span className="kit-nav-icon" aria-hidden="true">
        {item.icon}
      </span>
      <span className="kit-nav-label">{item.label}</span>
      {item.count !== undefined && item.count > 0 && (
        <span className="kit-count">{item.count > 99 ? '99+' : item.count}</span>
      )}
    </a>
  );
}

function PhoneBar({ items, first }: { readonly items: readonly NavItem[]; readonly first: readonly string[] }) {
  const words = useWords(frameWords);
  const sheet = useRef<HTMLDialogElement>(null);
  const shown = items.filter((item) => first.includes(item.href));
  const current = items.find((item) => item.isCurrent)?.href;
  const isBehind = current !== undefined && !first.includes(current);
  useEffect(() => {
    if (current !== undefined) sheet.current?.close();
  }, [current]);
  return (
    <nav className="kit-phone-bar" aria-label={words.mainNavigation}>
      {shown.map((item) => (
        <NavLink key={item.href} item={item} />
      ))}
      <button
        type="button"
        className="kit-nav-link"
        data-holds-current={isBehind}
        aria-haspopup="dialog"
        onClick={() => sheet.current?.showModal()}
      >
        <span className="kit-nav-icon" aria-hidden="true">
          ☰
        </span>
        <span className="kit-nav-label">{words.more}</span>
      </button>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it; a click beside it is for fingers. */}
      <dialog
        ref={sheet}
        className="kit-sheet"
        aria-label={words.more}
        onClick={(event) => event.target === sheet.current && sheet.current.close()}
      >
        <ul>
          {items.map((item) => (
            <li key={item.href}>
              <NavLink item={item} onClick={() => sheet.current?.close()} />
            </li>
          ))}
        </ul>
        <button type="button" className="kit-sheet-close" onClick={() => sheet.current?.close()}>
          {words.close}
        </button>
      </dialog>
    </nav>
  );
}

/** The title of a page, what it is about, and what can be done on it. Sets the title of the window. */
export function PageHeader({
  title,
  about,
  actions,
  isUnseen = false,
}: {
  readonly title: string;
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
  /** A page whose content says it all keeps the title for those who hear it. */
  readonly isUnseen?: boolean;
}) {
  useEffect(() => {
    document.title = title;
  }, [title]);
  if (isUnseen) return <h1 className="kit-unseen">{title}</h1>;
  return (
    <div className="kit-page-header">
      <div>
        <h1>{title}</h1>
        {about !== undefined && <p>{about}</p>}
      </div>
      {actions !== undefined && <div className="kit-actions">{actions}</div>}
    </div>
  );
}

/** A box with a title on the page. */
export function Panel({
  title,
  extra,
  children,
  className = '',
}: {
  readonly title: ReactNode;
  readonly extra?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}) {
  return (
    <section className={`kit-panel ${className}`}>
      <header>
        <h2>{title}</h2>
        {extra}
      </header>
      <div className="kit-panel-body">{children}</div>
    </section>
  );
}

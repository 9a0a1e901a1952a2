import type { ReactNode } from 'react';
import { LanguageSwitch, ThemeSwitch } from './switches.tsx';

/** The page of somebody who is not in yet: one card, language and look in the corner. */
export function Door({
  mark,
  title,
  about,
  foot,
  children,
}: {
  readonly mark: ReactNode;
  readonly title: string;
  readonly about: ReactNode;
  readonly foot?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <div className="kit-door">
      <div className="kit-door-bar">
        <LanguageSwitch />
        <ThemeSwitch />
      </div>
      <main className="kit-door-card" id="content">
        {mark}
        <h1>{title}</h1>
        <p>{about}</p>
        {children}
      </main>
      <div className="kit-door-foot">{foot}</div>
    </div>
  );
}

import type { CampusView } from './api.ts';
import { useName } from './kit/language.tsx';

/** What is always in sight: campus, time, day, box, city, and who is there. */
export function TopBar({ campus }: { readonly campus: CampusView | undefined }) {
  const name = useName();
  return <strong className="bar-campus">{name(campus?.name)}</strong>;
}

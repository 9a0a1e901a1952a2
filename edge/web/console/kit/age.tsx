import { ageText } from './formats.ts';
import { useFormats, useLanguage } from './language.tsx';
import { useTicking } from './ticker.ts';

/** How long ago something was: `3 分钟前`, with the moment itself as its title. 0 is shown as `—`. */
export function Age({ time, className }: { readonly time: number; readonly className?: string }) {
  const language = useLanguage();
  const formats = useFormats();
  const words = useTicking((now) => (time <= 0 ? '—' : ageText(now - time, language)));
  return (
    <time
      className={className}
      dateTime={time > 0 ? new Date(time).toISOString() : undefined}
      title={time > 0 ? formats.dateTime(time) : undefined}
    >
      {words}
    </time>
  );
}

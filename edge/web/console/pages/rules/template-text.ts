import { duration } from './read-body.ts';
import type { TemplateView } from './rules-api.ts';
import { spanText } from './sentence.ts';
import type { Vocabulary } from './vocabulary.ts';

/** What a template says of itself, with its usual values where it leaves something open: `$limit ppm` -> `1000 ppm`. */
export function templateText(text: string, { parameters }: TemplateView, v: Vocabulary): string {
  return text.replace(/\$(\$|[a-z][a-zA-Z0-9]*)/g, (all, id: string) => {
    if (id === '$') return id;
    const found = parameters.find((one) => one.id === id);
    if (found === undefined) return all;
    const usual = found.default;
    if (found.type === 'duration' && typeof usual === 'string') return spanText(duration(usual), v);
    return typeof usual === 'string' || typeof usual === 'number' ? String(usual) : '…';
  });
}

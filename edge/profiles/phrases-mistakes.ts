import { mistake, type RuleMistake } from '#edge/runtime/rule-mistakes.ts';
import { isPhrase, type Pieces, piecesOf } from './phrases-address.ts';
import type { PhrasesProfile, PhraseValue } from './phrases-profile.ts';

/* What a phrase book cannot mean, beyond its shape. */

const known = new Set(['value', 'json', 'at']);
const ofValue = /\{(value|json)\}/;

export function findPhrasesMistakes(profile: PhrasesProfile): RuleMistake[] {
  return Object.entries(profile.values).flatMap(([name, value]) => [
    ...findPlace(profile, name, value),
    ...findPhrases(name, value),
    ...findAnswers(profile, name, value),
    ...findTexts(name, value),
  ]);
}

function findPlace(profile: PhrasesProfile, name: string, { topic, path }: PhraseValue): RuleMistake[] {
  const { way } = profile;
  if (way === 'mqtt') {
    const where = topic ?? profile.topic;
    if (where === undefined) return [mistake(['values', name, 'topic'], 'is needed: the profile has none for all')];
    const first = where.split('/')[0] ?? '';
    const isOurs = first === 'v1' || first.startsWith('$');
    // A topic that begins with what the site file says could be anything.
    if (isOurs || first.includes('{') || first === '' || /[+#\0]/.test(where))
      return [
        mistake(
          ['values', name, 'topic'],
          'must be a topic of its gateway that begins with a fixed level, not v1 or $',
        ),
      ];
    return [];
  }
  if (way === 'tcp') return [];
  const where = path ?? profile.path ?? '';
  const at = ['values', name, 'path'];
  if (!where.startsWith('/')) return [mistake(at, 'is needed, and begins with /')];
  if (profile.method === 'GET' && !where.includes('{phrase}'))
    return [mistake(at, 'must have {phrase} in it: GET has no body')];
  const unknown = [...where.matchAll(/\{([^}]*)\}/g)].find(([, word]) => word !== 'phrase' && word !== 'password');
  return unknown === undefined ? [] : [mistake(at, `${unknown[0]} is not known here: {phrase} and {password} are`)];
}

function findPhrases(name: string, { type, say, text }: PhraseValue): RuleMistake[] {
  const at = ['values', name, 'say'];
  if (isPhrase(say)) {
    if (type === 'boolean') return [mistake(at, 'must say what is said for "true" and for "false"')];
    if (!textOf(piecesOf(say)).some((piece) => ofValue.test(piece)))
      return [mistake(at, 'must have {value} or {json} in it')];
    if (type === 'text' && text === undefined)
      return [mistake(['values', name, 'text'], 'is needed: say how many characters it shows')];
    return unknownPlaces(at, piecesOf(say));
  }
  const keys = Object.keys(say);
  const wrong = keys.filter((key) => !isValueOf(type, key));
  return [
    ...wrong.map((key) => mistake([...at, key], `is no ${type}`)),
    ...keys.flatMap((key) => unknownPlaces([...at, key], piecesOf(say[key] ?? ''))),
  ];
}

function isValueOf(type: PhraseValue['type'], key: string): boolean {
  if (type === 'boolean') return key === 'true' || key === 'false';
  return type === 'text' || (key.trim() !== '' && Number.isFinite(Number(key)));
}

function findAnswers({ way }: PhrasesProfile, name: string, { expect, ask, type, poll }: PhraseValue): RuleMistake[] {
  const found: RuleMistake[] = [];
  if (expect !== undefined && way === 'mqtt')
    found.push(mistake(['values', name, 'expect'], 'nothing answers over mqtt'));
  if (ask === undefined) {
    if (poll !== undefined && poll !== 'watch')
      found.push(mistake(['values', name, 'poll'], 'there is nothing to read without `ask`'));
    return found;
  }
  if (way !== 'tcp') found.push(mistake(['values', name, 'ask'], 'its state is asked over tcp only'));
  for (const key of Object.keys(ask.is))
    if (!isValueOf(type, key)) found.push(mistake(['values', name, 'ask', 'is', key], `is no ${type}`));
  return found;
}

function findTexts(name: string, { type, text, say, ask }: PhraseValue): RuleMistake[] {
  if (text === undefined) return [];
  if (type !== 'text' || !isPhrase(say) || ask !== undefined)
    return [mistake(['values', name, 'text'], 'is for a value of type text with one phrase and without `ask`')];
  return text.clear === undefined ? [] : unknownPlaces(['values', name, 'text', 'clear'], piecesOf(text.clear));
}

function textOf(pieces: Pieces): string[] {
  return pieces.filter((piece) => typeof piece === 'string');
}

/** `{valeu}` would be said as it stands. JSON has its braces around more than a word. */
function unknownPlaces(at: readonly string[], pieces: Pieces): RuleMistake[] {
  return textOf(pieces).flatMap((text) =>
    [...text.matchAll(/\{([a-z]+)\}/g)]
      .filter(([, word = '']) => !known.has(word))
      .map(([all]) => mistake([...at], `${all} is not known here: {value}, {json} and {at} are`)),
  );
}

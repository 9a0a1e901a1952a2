import { useWords } from '../../kit/language.tsx';
import { changedFields } from './changed-fields.ts';
import { type Body, readBody } from './read-body.ts';
import { endingTexts, onBadTexts, ruleSentence } from './sentence.ts';
import { useVocabulary, type Vocabulary } from './vocabulary.ts';
import { words } from './words.ts';

function readingOf(body: Body | null, nothing: string, vocabulary: Vocabulary): readonly string[] {
  if (body === null) return [nothing];
  const draft = readBody(body);
  return [ruleSentence(draft, vocabulary), ...endingTexts(draft, vocabulary), ...onBadTexts(draft, vocabulary)];
}

/** Two versions side by side: as they read, and field by field. null: nothing runs before, or after. */
export function Difference({ before, after }: { readonly before: Body | null; readonly after: Body | null }) {
  const say = useWords(words);
  const vocabulary = useVocabulary();
  const fields = changedFields(before, after);
  if (fields.length === 0) return <p className="kit-soft">{say.sameRule}</p>;
  const sides = [
    { key: 'before', sign: '−', texts: readingOf(before, say.nothingBefore, vocabulary) },
    { key: 'after', sign: '+', texts: readingOf(after, say.turnedOff, vocabulary) },
  ];
  return (
    <div className="rules-difference">
      <div className="rules-sides">
        {sides.map(({ key, sign, texts }, i) => (
          <div key={key} className={`rules-side-${key}`}>
            <span aria-hidden="true">{sign}</span>
            <div>
              {texts.map((text) => (
                <p key={text} className={sides[1 - i]?.texts.includes(text) ? 'kit-soft' : 'rules-changed'}>
                  {text}
                </p>
              ))}
            </div>
          </div>
        ))}
      </div>
      {before !== null && after !== null && (
        <div className="rules-fields-place">
          <table className="rules-fields">
            <caption className="kit-unseen">{say.fields}</caption>
            <tbody>
              {fields.slice(0, 100).map((field) => (
                <tr key={field.path}>
                  <th scope="row">
                    <code>{field.path}</code>
                  </th>
                  <td>{field.before === null ? '—' : <del>{field.before}</del>}</td>
                  <td>{field.after === null ? '—' : <ins>{field.after}</ins>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

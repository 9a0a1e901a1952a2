import { useQuery } from '@tanstack/react-query';
import type { z } from 'zod';
import type { flowDiffSchema } from '../../../flows-schemas.ts';
import { api, errorDetail, errorText } from '../../api.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { words } from './words.ts';

/** Which nodes differ between two versions of a tab. */
export function DiffTable({ tab, from, to }: { readonly tab: string; readonly from: number; readonly to: number }) {
  const say = useWords(words);
  const language = useLanguage();
  const diff = useQuery({
    queryKey: ['flows', 'diff', tab, from, to],
    queryFn: ({ signal }) =>
      api.get<z.infer<typeof flowDiffSchema>>(`flows/${encodeURIComponent(tab)}/diff?from=${from}&to=${to}`, signal),
    // What once was stays as it was.
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (diff.isPending) return <PageSkeleton />;
  if (diff.isError) {
    return (
      <ErrorState
        message={errorText(diff.error, language)}
        detail={errorDetail(diff.error)}
        onRetry={() => void diff.refetch()}
      />
    );
  }
  const { nodes } = diff.data;
  return (
    <div className="flows-diff">
      <h4>{say.diffTitle(from, to)}</h4>
      {nodes.length === 0 ? (
        <p className="kit-soft">{say.diffNone}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">{say.what}</th>
              <th scope="col">{say.node}</th>
              <th scope="col">{say.keys}</th>
            </tr>
          </thead>
          <tbody>
            {nodes.map((node) => (
              <tr key={node.id} data-what={node.what}>
                <td>{say[`what:${node.what}`]}</td>
                <td>
                  {node.name || node.id} <span className="kit-soft">{node.type}</span>
                </td>
                <td>
                  <code>{node.keys.join(', ') || '—'}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

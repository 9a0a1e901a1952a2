import { useQuery } from '@tanstack/react-query';
import { api, errorDetail, errorText } from '../../api.ts';
import { useLanguage } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { EditorPage } from './editor-page.tsx';
import type { RuleView } from './rules-api.ts';

/** The newest version of a rule, to be made a newer one of: asked anew each time, for what another page remembers may be older. */
export function EditRule({ id }: { readonly id: string }) {
  const language = useLanguage();
  const rule = useQuery({
    queryKey: ['rule-to-edit', id],
    queryFn: ({ signal }) => api.get<RuleView>(`rules/${id}`, signal),
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (rule.isPending) return <PageSkeleton />;
  if (rule.isError) {
    const { error } = rule;
    return (
      <ErrorState
        message={errorText(error, language)}
        detail={errorDetail(error)}
        onRetry={() => void rule.refetch()}
      />
    );
  }
  const { versions, latest, active } = rule.data;
  return <EditorPage start={versions[0]?.body ?? {}} base={latest} active={active} template={null} />;
}

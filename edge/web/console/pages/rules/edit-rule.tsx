import { errorDetail, errorText } from '../../api.ts';
import { useLanguage } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { EditorPage } from './editor-page.tsx';
import { useRule } from './rules-api.ts';

/** The newest version of a rule, to be made a newer one of. */
export function EditRule({ id }: { readonly id: string }) {
  const language = useLanguage();
  const rule = useRule(id, false);
  // What another page fetched may be older than the newest version.
  if (rule.isPending || !rule.isFetchedAfterMount) return <PageSkeleton />;
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

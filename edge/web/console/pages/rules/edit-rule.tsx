import { errorDetail, errorText } from '../../api.ts';
import { useLanguage } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { EditorPage } from './editor-page.tsx';
import { useRule } from './rules-api.ts';

/** The newest version of a rule, to be made a newer one of. */
export function EditRule({ id }: { readonly id: string }) {
  const language = useLanguage();
  const rule = useRule(id);
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

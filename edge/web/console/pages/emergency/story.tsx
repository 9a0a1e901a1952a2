import { hashOf } from '../../address.ts';
import { ApiError, errorDetail, errorText } from '../../api.ts';
import { DownloadLink } from '../../kit/download.tsx';
import { PageHeader } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useRight } from '../../session.tsx';
import { Course } from './course.tsx';
import { useEmergency } from './data.ts';
import { words } from './words.ts';

/** One emergency as a whole, for as long as it is kept. */
export function Story({ id }: { readonly id: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const mayExport = useRight('export');
  const asked = useEmergency(id);
  const back = (
    <a className="kit-button" href={hashOf('/emergency')}>
      {say.back}
    </a>
  );
  if (asked.isPending) return <PageSkeleton />;
  if (asked.isError) {
    const { error } = asked;
    if (error instanceof ApiError && error.status === 404) return <EmptyState title={say.notFound} action={back} />;
    return (
      <ErrorState
        message={errorText(error, language)}
        detail={errorDetail(error)}
        onRetry={() => void asked.refetch()}
      />
    );
  }
  return (
    <div className="emergency">
      <PageHeader
        title={say.title}
        actions={
          <>
            {back}
            {mayExport && <DownloadLink href={`api/v1/emergencies/${id}/report.csv`}>{say.report}</DownloadLink>}
          </>
        }
      />
      <Course one={asked.data} isAlone />
    </div>
  );
}

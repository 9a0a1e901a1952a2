import { Button, Skeleton } from 'antd';
import { Component, type ErrorInfo, type ReactNode } from 'react';
import { frameWords } from './frame-words.ts';
import { useWords } from './language.tsx';

/* What is shown when there is nothing, when it is on its way, and when it went wrong. */

/** Nothing is there: says why and what would change it, never a picture of a cardboard box. */
export function EmptyState({
  title,
  children,
  action,
}: {
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <div className="kit-empty">
      <p className="kit-empty-title">{title}</p>
      {children !== undefined && <div className="kit-empty-text">{children}</div>}
      {action}
    </div>
  );
}

/** Something could not be read. `message` is for people, `detail` for whoever repairs it. */
export function ErrorState({
  message,
  detail,
  onRetry,
}: {
  readonly message?: string;
  readonly detail?: string;
  readonly onRetry?: () => void;
}) {
  const words = useWords(frameWords);
  return (
    <div className="kit-error" role="alert">
      <p className="kit-empty-title">{message ?? words.failed}</p>
      {detail !== undefined && detail !== '' && (
        <p className="kit-detail">
          <span>{words.detail}</span> {detail}
        </p>
      )}
      {onRetry !== undefined && <Button onClick={onRetry}>{words.retry}</Button>}
    </div>
  );
}

export function PageSkeleton() {
  const words = useWords(frameWords);
  return (
    <div className="kit-skeleton" role="status" aria-label={words.loading}>
      <Skeleton active paragraph={{ rows: 6 }} />
    </div>
  );
}

/** One page or panel that throws does not take the others with it. A new `name` starts anew. */
export class ErrorBoundary extends Component<
  { readonly name: string; readonly children: ReactNode },
  { readonly error: Error | null }
> {
  override state: { readonly error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override componentDidCatch(error: Error, info: ErrorInfo): void {
    console.error(error, info.componentStack);
  }

  override componentDidUpdate(before: { readonly name: string }): void {
    if (before.name !== this.props.name && this.state.error !== null) this.setState({ error: null });
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return <Broken error={this.state.error} onRetry={() => this.setState({ error: null })} />;
  }
}

function Broken({ error, onRetry }: { readonly error: Error; readonly onRetry: () => void }) {
  const words = useWords(frameWords);
  return <ErrorState message={words.broken} detail={error.message} onRetry={onRetry} />;
}

import { useId } from 'react';

interface FromToProps {
  /** Of each field. */
  readonly className: string;
  readonly labels: { readonly from: string; readonly to: string };
  /** As date fields of a browser hold them (field-time.ts). */
  readonly from: string;
  readonly to: string;
  readonly onFrom: (text: string) => void;
  readonly onTo: (text: string) => void;
}

/** The two ends of a stretch of time of one's own. */
export function FromTo({ className, labels, from, to, onFrom, onTo }: FromToProps) {
  const ids = useId();
  return (
    <>
      <label htmlFor={`${ids}-from`}>{labels.from}</label>
      <input
        id={`${ids}-from`}
        className={className}
        type="datetime-local"
        value={from}
        onChange={(event) => onFrom(event.target.value)}
      />
      <label htmlFor={`${ids}-to`}>{labels.to}</label>
      <input
        id={`${ids}-to`}
        className={className}
        type="datetime-local"
        value={to}
        onChange={(event) => onTo(event.target.value)}
      />
    </>
  );
}

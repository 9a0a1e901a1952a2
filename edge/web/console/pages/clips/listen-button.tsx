import { LineIcon } from '../../kit/line-icon.tsx';

export function ListenButton({
  label,
  isHeard,
  isDisabled,
  onPress,
}: {
  readonly label: string;
  readonly isHeard: boolean;
  readonly isDisabled: boolean;
  readonly onPress: () => void;
}) {
  return (
    <button
      type="button"
      className="clips-listen"
      aria-label={label}
      aria-pressed={isHeard}
      disabled={isDisabled}
      onClick={onPress}
    >
      <LineIcon size={16}>{isHeard ? <path d="M5 5h10v10H5z" /> : <path d="M6 4l10 6-10 6z" />}</LineIcon>
    </button>
  );
}

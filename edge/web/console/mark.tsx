/** The sign of the product. */
export function Mark({ size = 30 }: { readonly size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true" focusable="false" className="mark">
      <rect width="32" height="32" rx="7" fill="#17694f" />
      <path d="M6 15 16 7l10 8v10H6z" fill="#fff" />
      <circle cx="16" cy="18" r="4" fill="#17694f" />
    </svg>
  );
}

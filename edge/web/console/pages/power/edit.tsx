export function Edit({ id }: { readonly id: string }) {
  return <div className="power">{id}</div>;
}

import type { NamePair } from '../../kit/words.ts';

export function SignInPage({ campus, oidc }: { readonly campus: NamePair; readonly oidc: NamePair | null }) {
  return <p>{campus.zh + (oidc?.zh ?? '')}</p>;
}

import { CodedError } from '#edge/runtime/errors.ts';
import type { App } from '../server.ts';
import { addAccountRoutes } from './account-routes.ts';
import { addOidcRoutes } from './oidc-routes.ts';
import { addOwnRoutes } from './own-routes.ts';
import type { People } from './people.ts';
import { addSessionRoutes } from './session-routes.ts';
import { addSignInRoutes } from './sign-in-routes.ts';
import { addTokenRoutes } from './token-routes.ts';

/** While the site file is broken there is nobody to be: the page asks, is told so, and shows what is wrong. */
export function addNobodyRoute(app: App): void {
  app.get('/api/v1/me', { config: { access: 'open' }, schema: { hide: true } }, () => {
    throw new CodedError('CAMPUS_NOT_FOUND', 'the site file cannot be used: /healthz says what is wrong with it');
  });
}

/** Signing in, and everything about accounts, sessions and tokens. */
export function addPeopleRoutes(app: App, people: People): void {
  addSignInRoutes(app, people);
  addOwnRoutes(app, people);
  addSessionRoutes(app, people);
  addAccountRoutes(app, people);
  addTokenRoutes(app, people);
  if (people.oidc !== null) addOidcRoutes(app, people, people.oidc);
}

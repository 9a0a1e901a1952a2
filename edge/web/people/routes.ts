import type { App } from '../server.ts';
import { addAccountRoutes } from './account-routes.ts';
import { addOidcRoutes } from './oidc-routes.ts';
import { addOwnRoutes } from './own-routes.ts';
import type { People } from './people.ts';
import { addSessionRoutes } from './session-routes.ts';
import { addSignInRoutes } from './sign-in-routes.ts';
import { addTokenRoutes } from './token-routes.ts';

/** Signing in, and everything about accounts, sessions and tokens. */
export function addPeopleRoutes(app: App, people: People): void {
  addSignInRoutes(app, people);
  addOwnRoutes(app, people);
  addSessionRoutes(app, people);
  addAccountRoutes(app, people);
  addTokenRoutes(app, people);
  if (people.oidc !== null) addOidcRoutes(app, people, people.oidc);
}

import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { meQuery, sessionQuery } from './api/session';
import { NotFound, PageFailed } from './shell/NotFound';
import { Shell } from './shell/Shell';

interface Context {
  queries: QueryClient;
}

/** Parameters of a page are texts; what a page does not know it leaves alone. */
export type Search = Record<string, string | undefined>;

const texts = (search: Record<string, unknown>): Search =>
  Object.fromEntries(
    Object.entries(search)
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([name, value]) => [name, String(value)]),
  );

const root = createRootRouteWithContext<Context>()({ component: Outlet, notFoundComponent: NotFound });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: texts,
  component: lazyRouteComponent(() => import('./pages/sign-in/SignIn'), 'SignIn'),
});

const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: Shell,
  validateSearch: texts,
  beforeLoad: async ({ context, location }) => {
    // What one may do is known before anything is drawn: nothing moves later because of it.
    const me = context.queries.prefetchQuery(meQuery);
    const session = await context.queries.ensureQueryData(sessionQuery);
    if (!session) throw redirect({ to: '/sign-in', search: { then: location.href } });
    await me;
  },
});

type Loader = Parameters<typeof lazyRouteComponent>[0];

const page = <Path extends string>(path: Path, load: Loader, name: string) =>
  createRoute({ getParentRoute: () => inside, path, component: lazyRouteComponent(load, name as never) });

const pages = [
  page('/', () => import('./pages/overview/Overview'), 'Overview'),
  page('/certificates', () => import('./pages/certificates/Inventory'), 'Inventory'),
  page('/certificates/import', () => import('./pages/certificates/ImportPage'), 'ImportPage'),
  page('/certificates/$id', () => import('./pages/certificates/Certificate'), 'CertificatePage'),
  page('/bulk', () => import('./pages/bulk/BulkList'), 'BulkList'),
  page('/bulk/$id', () => import('./pages/bulk/BulkPage'), 'BulkPage'),
  page('/requests', () => import('./pages/requests/Requests'), 'Requests'),
  page('/requests/new', () => import('./pages/requests/Wizard'), 'Wizard'),
  page('/requests/$id', () => import('./pages/requests/RequestPage'), 'RequestPage'),
  page('/approvals', () => import('./pages/approvals/Queue'), 'Queue'),
  page('/approvals/absences', () => import('./pages/approvals/Absences'), 'Absences'),
  page('/approvals/$id', () => import('./pages/approvals/ApprovalPage'), 'ApprovalPage'),
  page('/automation', () => import('./pages/automation/Automation'), 'Automation'),
  page('/automation/$section', () => import('./pages/automation/Automation'), 'Automation'),
  page('/orders/$id', () => import('./pages/automation/OrderPage'), 'OrderPage'),
  page('/issuers', () => import('./pages/issuers/Issuers'), 'Issuers'),
  page('/issuers/$name', () => import('./pages/issuers/IssuerPage'), 'IssuerPage'),
  page('/migrations/$id', () => import('./pages/issuers/MigrationPage'), 'MigrationPage'),
  page('/policy', () => import('./pages/policy/Policy'), 'Policy'),
  page('/policy/$section', () => import('./pages/policy/Policy'), 'Policy'),
  page('/policy/profiles/$name', () => import('./pages/policy/ProfilePage'), 'ProfilePage'),
  page('/administration', () => import('./pages/administration/Administration'), 'Administration'),
  page('/administration/$section', () => import('./pages/administration/Administration'), 'Administration'),
  page('/profile', () => import('./pages/profile/OwnProfile'), 'OwnProfile'),
];

const tree = root.addChildren([signIn, inside.addChildren(pages)]);

export const router = (queries: QueryClient) =>
  createRouter({
    routeTree: tree,
    context: { queries },
    defaultPreload: 'intent',
    scrollRestoration: true,
    defaultErrorComponent: PageFailed,
    defaultNotFoundComponent: NotFound,
    // `?q=expires<30d`, not JSON.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => {
      const entries = Object.entries(search).filter(([, value]) => value !== undefined && value !== '');
      const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
      return text ? `?${text}` : '';
    },
  });

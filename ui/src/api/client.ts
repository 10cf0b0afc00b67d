import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];
export type Problem = Schema<'Problem'>;

/** What the server refused, in its own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem | undefined,
  ) {
    super(problem?.detail ?? fallback(status));
  }

  get kind(): string {
    return this.problem?.type.split(':').pop() ?? 'other';
  }
}

function fallback(status: number): string {
  return status === 0
    ? 'The server does not answer. Check the network; this page tries again by itself.'
    : `The server answered ${status}, without saying why.`;
}

let csrfToken = '';
let signedOut: () => void = () => undefined;
let prove: () => Promise<boolean> = () => Promise.resolve(false);

/** Changes carry this token (the session's, never stored). */
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** What happens once the session is over, and how people prove again who they are. */
export function onAuthentication(handlers: { signedOut: () => void; prove: () => Promise<boolean> }): void {
  signedOut = handlers.signedOut;
  prove = handlers.prove;
}

async function kindOf(response: Response): Promise<string> {
  const body: unknown = await response.clone().json().catch(() => undefined);
  const type = body && typeof body === 'object' && 'type' in body ? String(body.type) : '';
  return type.split(':').pop() ?? '';
}

async function guarded(request: Request): Promise<Response> {
  if (request.method !== 'GET') request.headers.set('X-CSRF-Token', csrfToken);
  const again = request.clone();
  const response = await fetch(request).catch(() => {
    throw new ApiError(0, undefined);
  });
  if (response.status === 401 && !new URL(request.url).pathname.startsWith('/api/v1/session')) signedOut();
  if (response.status === 403 && (await kindOf(response)) === 'proof-needed' && (await prove())) {
    again.headers.set('X-CSRF-Token', csrfToken);
    return fetch(again);
  }
  return response;
}

export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: guarded });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of an answer, or the problem as an exception. */
export async function call<T>(pending: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await pending;
  if (!response.ok) throw new ApiError(response.status, isProblem(error) ? error : undefined);
  return data as T;
}

/** The same, with the `ETag` that a later change quotes. */
export async function callTagged<T>(pending: Promise<Answer<T>>): Promise<{ value: T; etag: string }> {
  const answer = await pending;
  const value = await call(Promise.resolve(answer));
  return { value, etag: answer.response.headers.get('etag') ?? '' };
}

/** A request that the generated client does not describe well: uploads and files. */
export async function raw(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await guarded(new Request(new URL(path, window.location.origin), init));
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => undefined);
  throw new ApiError(response.status, isProblem(body) ? body : undefined);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'detail' in body;
}

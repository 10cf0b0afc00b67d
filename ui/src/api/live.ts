import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import type { Schema } from './client';

export type LiveEvent = Schema<'Event'>;
export type LiveState = 'connecting' | 'live' | 'off';

/** Which lists an event changes, by the first word of its name. */
const TOPICS: Record<string, readonly string[]> = {
  certificate: ['certificates', 'summary', 'alerts'],
  enrollment: ['enrollments', 'summary', 'approvals', 'acme'],
  approval: ['approvals', 'enrollments'],
  order: ['acme'],
  authorization: ['acme'],
  account: ['acme'],
  eab_key: ['acme'],
  directory: ['acme'],
  issuer: ['issuers'],
  crl: ['issuers'],
  issuer_migration: ['issuers', 'certificates', 'summary', 'policy'],
  est_label: ['enrolling'],
  scep_service: ['enrolling'],
  cmp_endpoint: ['enrolling'],
  cmp_secret: ['enrolling'],
  enrollment_password: ['enrolling'],
  approval_delegation: ['delegations', 'approvals'],
  team: ['teams'],
  role: ['roles'],
  user: ['users'],
  token: ['tokens'],
  grant: ['grants', 'me'],
  provider: ['sign-on-providers'],
  incident: ['alerts'],
  renewal: ['alerts'],
  bulk: ['bulk', 'certificates', 'summary'],
  profile: ['policy'],
  metadata_field: ['policy'],
  channel: ['notifications'],
  notification: ['notifications'],
  notification_rule: ['notifications'],
};

const KEPT = 60;
const PAUSE = 400;

let state: LiveState = 'off';
let events: readonly LiveEvent[] = [];
const watchers = new Set<() => void>();

function tell(): void {
  for (const watcher of watchers) watcher();
}

function enter(next: LiveState): void {
  if (next === state) return;
  state = next;
  tell();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(watch, () => state);
}

/** What happened while this page was open, newest first. */
export function useLiveEvents(): readonly LiveEvent[] {
  return useSyncExternalStore(watch, () => events);
}

/** Follows the event stream: what it tells of is read anew. Gives what ends it. */
export function follow(queries: QueryClient): () => void {
  const changed = new Set<string>();
  let timer: number | undefined;
  let last = 0;

  const flush = () => {
    timer = undefined;
    last = Date.now();
    for (const topic of changed) void queries.invalidateQueries({ queryKey: [topic] });
    changed.clear();
  };
  const soon = () => {
    // At once after silence, and not more often than this in a storm.
    timer ??= window.setTimeout(flush, Math.max(0, last + PAUSE - Date.now()));
  };
  const source = new EventSource('/api/v1/events/stream');
  enter('connecting');
  source.addEventListener('ready', () => enter('live'));
  source.addEventListener('reset', () => void queries.invalidateQueries());
  source.addEventListener('message', (message: MessageEvent<string>) => {
    const event = JSON.parse(message.data) as LiveEvent;
    events = [event, ...events].slice(0, KEPT);
    for (const topic of TOPICS[event.name.split('.')[0] ?? ''] ?? ['audit']) changed.add(topic);
    changed.add('audit');
    soon();
    tell();
  });
  source.addEventListener('error', () => enter('connecting'));
  return () => {
    source.close();
    window.clearTimeout(timer);
    events = [];
    enter('off');
  };
}

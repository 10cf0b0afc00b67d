import { queryOptions } from '@tanstack/react-query';
import { api, call } from '../../api/client';

export const summaryQuery = queryOptions({
  queryKey: ['summary'],
  queryFn: () => call(api.GET('/api/v1/certificates/summary')),
});

export const trendsQuery = queryOptions({
  queryKey: ['certificates', 'trends'],
  queryFn: () => call(api.GET('/api/v1/certificates/trends', { params: { query: { ahead: 182, back: 30 } } })),
});

/** For so many days something that failed is news. */
export const NEWS = 7;

export const sinceNews = (): string => new Date(Date.now() - NEWS * 86_400_000).toISOString();

export const failedQuery = queryOptions({
  queryKey: ['enrollments', 'failed'],
  queryFn: () => call(api.GET('/api/v1/enrollments', { params: { query: { status: 'failed', changed_since: sinceNews(), limit: 50 } } })),
});

export const retryingQuery = queryOptions({
  queryKey: ['enrollments', 'retrying'],
  queryFn: async () => {
    const states = ['signing', 'approved', 'awaiting-issuer'] as const;
    const pages = await Promise.all(states.map((status) => call(api.GET('/api/v1/enrollments', { params: { query: { status, limit: 50 } } }))));
    return pages.flatMap(({ items }) => items).filter((enrollment) => enrollment.reason);
  },
});

export const alertsQuery = queryOptions({
  queryKey: ['alerts', 'open'],
  queryFn: async () => {
    const page = await call(api.GET('/api/v1/alerts', { params: { query: { state: 'open', limit: 200 } } }));
    // What ends first is looked at first.
    const items = [...page.items].sort((a, b) => (a.not_after ?? '').localeCompare(b.not_after ?? ''));
    return { ...page, items };
  },
});

export const pendingQuery = queryOptions({
  queryKey: ['approvals', 'pending'],
  queryFn: () => call(api.GET('/api/v1/approvals', { params: { query: { status: 'pending', sort: 'deadline', limit: 50 } } })),
});

export const issuersQuery = queryOptions({
  queryKey: ['issuers'],
  queryFn: () => call(api.GET('/api/v1/issuers')),
});

import { Button, Group, Select, Stack } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { Danger } from '../../components/Danger';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import css from './administration.module.css';

/** The roles somebody holds, and what they add up to, permission by permission. */
export function Rights({ principal, mayChange }: { principal: string; mayChange: boolean }) {
  const grants = useQuery({ queryKey: ['grants', principal], queryFn: () => call(api.GET('/api/v1/grants', { params: { query: { principal, limit: 200 } } })) });
  const { data: roles } = useQuery({ queryKey: ['roles'], queryFn: () => call(api.GET('/api/v1/roles')) });
  const { data: teams } = useQuery({ queryKey: ['teams'], queryFn: () => call(api.GET('/api/v1/teams')) });
  const [role, setRole] = useState<string | null>(null);
  const [team, setTeam] = useState<string | null>(null);
  const give = useMutation({ mutationFn: () => call(api.POST('/api/v1/grants', { body: { principal, role: role ?? '', ...(team ? { team } : {}) } })), onSuccess: () => setRole(null) });
  const take = useMutation({ mutationFn: (id: string) => call(api.DELETE('/api/v1/grants/{id}', { params: { path: { id } } })) });
  const error = give.error ?? take.error;
  return (
    <Stack>
      {error && <ErrorNote error={error} />}
      <Loaded query={grants} rows={2}>
        {(page) => {
          const effective = new Map<string, Set<string>>();
          for (const grant of page.items) {
            for (const permission of roles?.items.find(({ name }) => name === grant.role)?.permissions ?? []) {
              const places = effective.get(permission) ?? new Set();
              effective.set(permission, places.add(grant.team ?? 'everywhere'));
            }
          }
          return (
            <>
              {page.items.length === 0 && <Empty title="No role">Without one there is nothing to see.</Empty>}
              <ul className={css.grants}>
                {page.items.map((grant) => (
                  <li key={grant.id}>
                    <strong>{grant.role}</strong> <span className="muted">{grant.team ? `in ${grant.team}` : 'everywhere'}</span>
                    {mayChange && <Danger label="Take away" of={grant.role} consequence="At once, in every open session." onConfirm={() => take.mutate(grant.id)} />}
                  </li>
                ))}
              </ul>
              {effective.size > 0 && (
                <dl className={css.effective}>
                  {[...effective].sort().map(([permission, places]) => (
                    <div key={permission}>
                      <dt><code>{permission}</code></dt>
                      <dd>{places.has('everywhere') ? 'everywhere' : [...places].join(', ')}</dd>
                    </div>
                  ))}
                </dl>
              )}
            </>
          );
        }}
      </Loaded>
      {mayChange && (
        <Group align="end">
          <Select label="Role" data={(roles?.items ?? []).map((each) => each.name)} value={role} onChange={setRole} />
          <Select label="Where" placeholder="Everywhere" clearable data={(teams?.items ?? []).map((each) => each.name)} value={team} onChange={setTeam} />
          <Button disabled={!role} loading={give.isPending} onClick={() => give.mutate()}>Give</Button>
        </Group>
      )}
    </Stack>
  );
}

import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { grid, Panel } from '../../components/Page';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import { Status } from '../../components/Status';
import { PagedTable } from '../../components/Table';
import { When } from '../../components/Text';
import css from './policy.module.css';

/** What the rules were, what changed from one version to the next, and the way back. */
export function Versions({ name, current }: { name: string; current: number }) {
  const may = useMay();
  const [chosen, setChosen] = useState(current);
  const back = useMutation({
    mutationFn: async (version: number) => {
      const { rules } = await call(api.GET('/api/v1/profiles/{name}/versions/{version}', { params: { path: { name, version } } }));
      return call(api.PUT('/api/v1/profiles/{name}', { params: { path: { name } }, body: rules }));
    },
  });
  return (
    <div className={grid.grid}>
      <Panel title="Versions" flush className={grid.span5}>
        {back.error && <ErrorNote error={back.error} />}
        <PagedTable
          label="Versions"
          queryKey={['policy', 'versions', name]}
          read={(after) => call(api.GET('/api/v1/profiles/{name}/versions', { params: { path: { name }, query: { limit: 50, after } } }))}
          id={(version) => String(version.version)}
          empty={<Empty title="None" />}
          columns={[
            { name: 'Version', cell: (v) => <Button size="compact-sm" variant={v.version === chosen ? 'light' : 'subtle'} onClick={() => setChosen(v.version)}>{v.version}</Button> },
            { name: 'Since', cell: (v) => <When at={v.created_at} /> },
            { name: '', cell: (v) => (v.version === current ? <Status tone="ok">Current</Status> : may('policy:write') && <Button size="compact-xs" variant="default" loading={back.isPending} onClick={() => back.mutate(v.version)}>Go back to it</Button>), align: 'right' },
          ]}
        />
      </Panel>
      <Panel title={`What version ${chosen} changed`} className={grid.span7}>
        {chosen > 1 ? <Difference name={name} version={chosen} /> : <p className="muted" style={{ margin: 0 }}>The first version: there was nothing before.</p>}
      </Panel>
    </div>
  );
}

function Difference({ name, version }: { name: string; version: number }) {
  const query = useQuery({
    queryKey: ['policy', 'changes', name, version],
    queryFn: () => call(api.GET('/api/v1/profiles/{name}/versions/{version}/changes', { params: { path: { name, version }, query: {} } })),
  });
  return (
    <Loaded query={query} rows={3}>
      {(data) =>
        data.changes.length === 0 ? (
          <p className="muted" style={{ margin: 0 }}>Nothing that counts.</p>
        ) : (
          data.changes.map((change: Schema<'Change'>) => (
            <div key={change.path} className={css.change}>
              <code>{change.path}</code>
              {change.before !== undefined && <pre className={css.before}>− {JSON.stringify(change.before, null, 2)}</pre>}
              {change.after !== undefined && <pre className={css.after}>+ {JSON.stringify(change.after, null, 2)}</pre>}
            </div>
          ))
        )
      }
    </Loaded>
  );
}

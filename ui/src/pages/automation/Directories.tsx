import { useQuery } from '@tanstack/react-query';
import { api, call, type Schema } from '../../api/client';
import { Facts, grid, Panel } from '../../components/Page';
import { Empty, Loaded } from '../../components/States';
import { Status } from '../../components/Status';
import { Copy } from '../../components/Text';
import { duration } from '../../lib/time';
import { ClientSetup } from './ClientSetup';

export const directoriesQuery = {
  queryKey: ['acme', 'directories'],
  queryFn: () => call(api.GET('/api/v1/acme/directories')),
};

export function Directories() {
  const query = useQuery(directoriesQuery);
  return (
    <Loaded query={query}>
      {(page) =>
        page.items.length === 0 ? (
          <Panel><Empty title="No directories">A directory is where ACME clients begin: <code>certwright directory put NAME</code></Empty></Panel>
        ) : (
          page.items.map((directory) => <Directory key={directory.id} directory={directory} />)
        )
      }
    </Loaded>
  );
}

function Directory({ directory }: { directory: Schema<'Directory'> }) {
  const { rules } = directory;
  return (
    <Panel title={directory.name} note={rules.external_account_required ? <Status tone="info">Needs an external account</Status> : <Status tone="ok">Open to new accounts</Status>}>
      <div className={grid.grid}>
        <div className={grid.span5}>
          <Facts
            rows={[
              ['Directory URL', <Copy key="url" text={directory.url} />],
              ['Profiles', (rules.profiles ?? []).join(', ')],
              ['Challenges', (rules.challenges ?? []).join(', ') || 'as the profiles say'],
              ['Orders live', rules.order_lifetime_seconds && duration(rules.order_lifetime_seconds)],
              ['CAA', rules.caa],
              ['Owner', directory.team ?? 'everybody’s'],
              ['Terms of service', rules.terms_of_service],
              ['Test mode', rules.test_mode && <Status key="test" tone="warn">On: nothing here is checked as it should be</Status>],
            ]}
          />
        </div>
        <div className={grid.span7}>
          <ClientSetup directory={directory.url} />
        </div>
      </div>
    </Panel>
  );
}

import { useMay } from '../../api/session';
import { Page } from '../../components/Page';
import { Sections } from '../../components/Sections';
import { Accounts } from './Accounts';
import { Directories } from './Directories';
import { EabKeys } from './EabKeys';
import { EntryPoints } from './EntryPoints';
import { Orders } from './Orders';
import { Passwords } from './Passwords';

export function Automation() {
  const may = useMay();
  return (
    <Page title="Automation" lead="Clients that get and renew certificates by themselves, and where they come in.">
      <Sections
        base="/automation"
        sections={[
          ...(may('acme:read')
            ? [
                { key: 'directories', label: 'ACME directories', show: () => <Directories /> },
                { key: 'keys', label: 'External accounts', show: () => <EabKeys mayWrite={may('acme:write')} /> },
                { key: 'accounts', label: 'Accounts', show: () => <Accounts mayWrite={may('acme:write')} /> },
                { key: 'orders', label: 'Orders', show: () => <Orders /> },
              ]
            : []),
          ...(may('enrolling:read')
            ? [
                { key: 'est', label: 'EST', show: () => <EntryPoints key="est" kind="est" mayWrite={may('enrolling:write')} /> },
                { key: 'scep', label: 'SCEP', show: () => <EntryPoints key="scep" kind="scep" mayWrite={may('enrolling:write')} /> },
                { key: 'cmp', label: 'CMP', show: () => <EntryPoints key="cmp" kind="cmp" mayWrite={may('enrolling:write')} /> },
                { key: 'passwords', label: 'Passwords', show: () => <Passwords mayWrite={may('enrolling:write')} /> },
              ]
            : []),
        ]}
      />
    </Page>
  );
}

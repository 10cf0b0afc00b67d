import { useMay } from '../../api/session';
import { Page } from '../../components/Page';
import { Sections } from '../../components/Sections';
import { Accounts } from './Accounts';
import { Directories } from './Directories';
import { EabKeys } from './EabKeys';
import { Orders } from './Orders';

export function Automation() {
  const may = useMay();
  return (
    <Page title="ACME" lead="Clients that get and renew certificates by themselves.">
      <Sections
        base="/automation"
        sections={[
          { key: 'directories', label: 'Directories', show: () => <Directories /> },
          { key: 'keys', label: 'External accounts', show: () => <EabKeys mayWrite={may('acme:write')} /> },
          { key: 'accounts', label: 'Accounts', show: () => <Accounts mayWrite={may('acme:write')} /> },
          { key: 'orders', label: 'Orders', show: () => <Orders /> },
        ]}
      />
    </Page>
  );
}

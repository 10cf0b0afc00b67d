import { useMay } from '../../api/session';
import { Page } from '../../components/Page';
import { Sections, type Section } from '../../components/Sections';
import { Audit } from './Audit';
import { Channels } from './Channels';
import { Roles } from './Roles';
import { SignOn } from './SignOn';
import { Teams } from './Teams';
import { Tokens } from './Tokens';
import { Users } from './Users';

export function Administration() {
  const may = useMay();
  const sections: (Section & { needs: string })[] = [
    { key: 'users', label: 'Users', needs: 'access:read', show: () => <Users /> },
    { key: 'teams', label: 'Teams', needs: 'access:read', show: () => <Teams /> },
    { key: 'roles', label: 'Roles', needs: 'access:read', show: () => <Roles /> },
    { key: 'tokens', label: 'Tokens', needs: 'access:read', show: () => <Tokens /> },
    { key: 'sign-on', label: 'Sign-on', needs: 'access:read', show: () => <SignOn /> },
    { key: 'notifications', label: 'Notifications', needs: 'notifications:read', show: () => <Channels /> },
    { key: 'audit', label: 'Audit log', needs: 'audit:read', show: () => <Audit /> },
  ];
  return (
    <Page title="Administration" lead="Who may do what, who is told, and what was done.">
      <Sections base="/administration" sections={sections.filter(({ needs }) => may(needs))} />
    </Page>
  );
}

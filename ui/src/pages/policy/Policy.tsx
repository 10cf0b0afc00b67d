import { Page } from '../../components/Page';
import { Sections } from '../../components/Sections';
import { ApprovalRules } from './ApprovalRules';
import { Fields } from './Fields';
import { Profiles } from './Profiles';

export function Policy() {
  return (
    <Page title="Policy" lead="What may be issued, what has to be known of it, and who agrees.">
      <Sections
        base="/policy"
        sections={[
          { key: 'profiles', label: 'Profiles', show: () => <Profiles /> },
          { key: 'fields', label: 'Metadata fields', show: () => <Fields /> },
          { key: 'approval', label: 'Approval rules', show: () => <ApprovalRules /> },
        ]}
      />
    </Page>
  );
}

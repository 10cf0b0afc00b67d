import { Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { api, callTagged } from '../../api/client';
import { useMay } from '../../api/session';
import { Page, Panel } from '../../components/Page';
import { ErrorNote, SkeletonRows } from '../../components/States';
import { When } from '../../components/Text';
import { useChoice } from '../../lib/search';
import { RulesEditor } from './RulesEditor';
import { TryIt } from './TryIt';
import { Versions } from './Versions';

/** A profile: its rules as form and source, what it would decide, what it was before. */
export function ProfilePage() {
  const { name = '' } = useParams({ strict: false });
  const may = useMay();
  const [tab, setTab] = useChoice('tab', ['rules', 'try', 'versions']);
  const query = useQuery({
    queryKey: ['policy', 'profile-tagged', name],
    queryFn: () => callTagged(api.GET('/api/v1/profiles/{name}', { params: { path: { name } } })),
    refetchInterval: false,
  });
  const profile = query.data?.value;
  return (
    <Page title={name} above={{ label: 'Profiles', to: '/policy/profiles' }} lead={profile && <>Version {profile.version}, since <When at={profile.created_at} full /></>}>
      {query.error && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Panel flush><SkeletonRows rows={12} /></Panel>}
      {profile && (
        <Tabs value={tab} onChange={(next) => setTab(next ?? 'rules')} keepMounted={false}>
          <Tabs.List mb="md">
            <Tabs.Tab value="rules">Rules</Tabs.Tab>
            <Tabs.Tab value="try">Try it</Tabs.Tab>
            <Tabs.Tab value="versions">Versions</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="rules"><RulesEditor key={profile.version} profile={profile} etag={query.data?.etag ?? ''} mayWrite={may('policy:write')} /></Tabs.Panel>
          <Tabs.Panel value="try"><Panel title="What would it decide?" note="nothing is issued"><TryIt profile={name} /></Panel></Tabs.Panel>
          <Tabs.Panel value="versions"><Versions name={name} current={profile.version} /></Tabs.Panel>
        </Tabs>
      )}
    </Page>
  );
}

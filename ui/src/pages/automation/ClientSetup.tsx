import { Tabs } from '@mantine/core';
import { Code } from '../../components/Text';
import { clientSetups, type Binding } from './clients';

/** Copy, paste, done: one tab for each client. */
export function ClientSetup({ directory, binding }: { directory: string; binding?: Binding }) {
  const setups = clientSetups(directory, window.location.origin, binding);
  return (
    <Tabs defaultValue="certbot" keepMounted={false}>
      <div style={{ overflowX: 'auto' }}>
        <Tabs.List style={{ flexWrap: 'nowrap' }} mb="sm">
          {setups.map(({ name, label }) => (
            <Tabs.Tab key={name} value={name}>{label}</Tabs.Tab>
          ))}
        </Tabs.List>
      </div>
      {setups.map(({ name, label, text }) => (
        <Tabs.Panel key={name} value={name}>
          <Code text={text} label={`the set-up of ${label}`} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

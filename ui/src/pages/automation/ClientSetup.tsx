import { Button, Tabs } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { grid } from '../../components/Page';
import { Code } from '../../components/Text';
import { clientSetups, type Binding } from './clients';

/** The next step of whoever has no client yet. */
export function ToDirectories() {
  return <Button component={Link} to="/automation/directories" variant="default">What a client has to be told</Button>;
}

/** Copy, paste, done: one tab for each client. */
export function ClientSetup({ directory, binding }: { directory: string; binding?: Binding }) {
  const setups = clientSetups(directory, window.location.origin, binding);
  return (
    <Tabs defaultValue="certbot" keepMounted={false}>
      <div className={grid.sections}>
        <Tabs.List className={grid.sectionList} mb="sm">
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

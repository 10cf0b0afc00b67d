import { Button, Modal, Select, Stack } from '@mantine/core';
import { IconChecklist, IconPencil, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Panel } from '../../components/Page';
import { Empty, Loaded } from '../../components/States';
import { ApprovalEditor } from './ApprovalEditor';
import { Picture } from './ApprovalPicture';
import { profilesQuery } from './Profiles';

type Profile = Schema<'Profile'>;

/** Who agrees to what, and what happens when nobody does: a picture for each profile. */
export function ApprovalRules() {
  const may = useMay();
  const query = useQuery(profilesQuery);
  const [edited, setEdited] = useState<Profile | null>(null);
  const [choosing, setChoosing] = useState(false);
  const mayWrite = may('policy:write');
  const add = mayWrite && <Button size="xs" leftSection={<IconPlus size={16} />} onClick={() => setChoosing(true)}>Ask people</Button>;
  return (
    <Loaded query={query}>
      {(page) => {
        const guarded = page.items.filter(({ rules }) => rules.approval);
        const free = page.items.filter(({ rules }) => !rules.approval);
        return (
          <>
            {guarded.length === 0 && <Panel><Empty icon={<IconChecklist size={24} />} title="Nothing waits for people" action={add}>Each profile can have people agree before anything is signed: how many, of whom, in which order, and who is asked when they do not answer.</Empty></Panel>}
            {guarded.map((profile) => (
              <Panel key={profile.name} title={<Link to="/policy/profiles/$name" params={{ name: profile.name }}>{profile.name}</Link>} note={mayWrite && <Button size="xs" variant="default" leftSection={<IconPencil size={16} />} aria-label={`Edit the rule of ${profile.name}`} onClick={() => setEdited(profile)}>Edit</Button>}>
                {profile.rules.approval && <Picture rule={profile.rules.approval} known={profile.people} />}
              </Panel>
            ))}
            {guarded.length > 0 && free.length > 0 && <div>{add}</div>}
            {choosing && <Choose from={free} onClose={() => setChoosing(false)} onChosen={(profile) => { setChoosing(false); setEdited(profile); }} />}
            {edited && <ApprovalEditor profile={edited.name} before={edited.rules.approval ?? null} onClose={() => setEdited(null)} />}
          </>
        );
      }}
    </Loaded>
  );
}

function Choose({ from, onClose, onChosen }: { from: readonly Profile[]; onClose: () => void; onChosen: (profile: Profile) => void }) {
  const [name, setName] = useState<string | null>(from[0]?.name ?? null);
  const chosen = from.find((each) => each.name === name);
  return (
    <Modal opened onClose={onClose} title="Before which certificates?">
      <Stack>
        <Select label="Profile" data={from.map((each) => each.name)} value={name} onChange={setName} allowDeselect={false} />
        <Button disabled={!chosen} onClick={() => chosen && onChosen(chosen)}>Next</Button>
      </Stack>
    </Modal>
  );
}

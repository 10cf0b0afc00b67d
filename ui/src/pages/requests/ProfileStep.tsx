import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, call, type Schema } from '../../api/client';
import { Empty, Loaded } from '../../components/States';
import { Status } from '../../components/Status';
import { duration } from '../../lib/time';
import { keyKind } from '../../lib/words';
import type { Draft } from './draft';
import css from './requests.module.css';

interface ProfileStepProps {
  draft: Draft;
  onChange: (parts: Partial<Draft>) => void;
  teams: string[];
}

export function ProfileStep({ draft, onChange, teams }: ProfileStepProps) {
  const query = useQuery({ queryKey: ['policy', 'profiles'], queryFn: () => call(api.GET('/api/v1/profiles')) });
  return (
    <Loaded query={query} rows={3}>
      {(page) =>
        page.items.length === 0 ? (
          <Empty title="There is no profile">A profile says what may be issued. Whoever keeps the policy makes one.</Empty>
        ) : (
          <>
            <div className={css.choices} role="radiogroup" aria-label="Profile">
              {page.items.map((profile) => (
                <Choice key={profile.id} profile={profile} chosen={draft.profile === profile.name} onChoose={() => onChange({ profile: profile.name, required: [...(profile.rules.required_metadata ?? [])] })} />
              ))}
            </div>
            {teams.length > 0 && <Select mt="md" maw={320} label="For the team" placeholder="Nobody’s" clearable data={teams} value={draft.team} onChange={(team) => onChange({ team })} />}
          </>
        )
      }
    </Loaded>
  );
}

function Choice({ profile, chosen, onChoose }: { profile: Schema<'Profile'>; chosen: boolean; onChoose: () => void }) {
  const { rules } = profile;
  return (
    <button type="button" role="radio" aria-checked={chosen} className={css.choice} onClick={onChoose}>
      <strong>{profile.name} {rules.approval && <Status tone="wait">needs approval</Status>}</strong>
      <span className="muted">{rules.description || rules.kind}</span>
      <span className="muted">{duration(rules.validity_seconds)} · {rules.key_algorithms.slice(0, 3).map(keyKind).join(', ')}</span>
    </button>
  );
}

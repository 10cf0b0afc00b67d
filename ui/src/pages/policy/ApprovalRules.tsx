import { IconArrowUp, IconChecklist, IconClock, IconUsers } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schema } from '../../api/client';
import { Panel } from '../../components/Page';
import { Empty, Loaded } from '../../components/States';
import { duration } from '../../lib/time';
import { approver } from '../../lib/words';
import css from './policy.module.css';
import { profilesQuery } from './Profiles';

/** Who agrees to what, and what happens when nobody does: a picture for each profile. */
export function ApprovalRules() {
  const query = useQuery(profilesQuery);
  return (
    <Loaded query={query}>
      {(page) => {
        const guarded = page.items.filter(({ rules }) => rules.approval);
        if (guarded.length === 0) {
          return (
            <Panel>
              <Empty icon={<IconChecklist size={24} />} title="Nothing waits for people">
                An approval rule stands in the source of a profile: <code>{'"approval": {"stages": [{"approvals": 1, "approvers": [{"kind": "role", "role": "approver"}]}]}'}</code>
              </Empty>
            </Panel>
          );
        }
        return guarded.map(({ name, rules }) => (
          <Panel key={name} title={<Link to="/policy/profiles/$name" params={{ name }}>{name}</Link>} note={rules.description}>
            {rules.approval && <Picture rule={rules.approval} />}
          </Panel>
        ));
      }}
    </Loaded>
  );
}

function condition(of: Schema<'ApprovalCondition'>): string {
  return typeof of === 'string' ? of.replaceAll('-', ' ') : `valid for more than ${duration(of.validity_above_seconds)}`;
}

function Picture({ rule }: { rule: Schema<'ApprovalRule'> }) {
  return (
    <ol className={css.flow}>
      <Stop icon={<IconChecklist size={18} />} title="A request" text={(rule.when ?? ['always' as const]).map(condition).join(', or ')} />
      {rule.stages.map((stage, index) => (
        <Stop key={index} icon={<IconUsers size={18} />} title={`${stage.approvals} of ${stage.approvers.map(approver).join(', ')}`} text={rule.stages.length > 1 ? `stage ${index + 1}` : 'agree'} />
      ))}
      {(rule.escalation ?? []).map((step) => (
        <Stop key={step.after_seconds} dashed icon={<IconArrowUp size={18} />} title={step.to.map(approver).join(', ')} text={`asked as well after ${duration(step.after_seconds)}`} />
      ))}
      {rule.deadline_seconds && <Stop dashed icon={<IconClock size={18} />} title="It expires" text={`after ${duration(rule.deadline_seconds)}`} />}
    </ol>
  );
}

function Stop({ icon, title, text, dashed }: { icon: ReactNode; title: string; text: string; dashed?: boolean }) {
  return (
    <li className={css.stop} data-dashed={dashed}>
      <span>{icon}</span>
      <strong className="wrap">{title}</strong>
      <span className="muted">{text}</span>
    </li>
  );
}

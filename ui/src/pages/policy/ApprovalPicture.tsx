import { IconArrowUp, IconChecklist, IconClock, IconUsers } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Schema } from '../../api/client';
import { useNames } from '../../components/Who';
import { visible } from '../../lib/names';
import { duration, plural } from '../../lib/time';
import { approver, type People } from '../../lib/words';
import css from './policy.module.css';

function condition(of: Schema<'ApprovalCondition'>): string {
  return typeof of === 'string' ? of.replaceAll('-', ' ') : `valid for more than ${duration(of.validity_above_seconds)}`;
}

/** A request's way past people: who agrees, who is asked later, when it ends. */
export function Picture({ rule, known }: { rule: Schema<'ApprovalRule'>; known?: People }) {
  const name = useNames();
  const people = (of: readonly Schema<'Approver'>[]) => of.map((each) => (each.kind === 'named' ? visible(known?.[each.principal] ?? name(each.principal)) : approver(each, undefined))).join(', ') || 'nobody yet';
  return (
    <ol className={css.flow}>
      <Stop icon={<IconChecklist size={18} />} title="A request" text={(rule.when ?? ['always' as const]).map(condition).join(', or ')} />
      {rule.stages.map((stage, index) => (
        <Stop key={index} icon={<IconUsers size={18} />} title={plural(stage.approvals, 'approval')} text={`by ${people(stage.approvers)}${rule.stages.length > 1 ? `, stage ${index + 1}` : ''}`} />
      ))}
      {(rule.escalation ?? []).map((step, index) => (
        <Stop key={index} dashed icon={<IconArrowUp size={18} />} title={people(step.to)} text={`asked as well after ${duration(step.after_seconds)}`} />
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

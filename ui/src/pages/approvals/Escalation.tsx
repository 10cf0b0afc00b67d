import { IconArrowUp, IconClock, IconUser } from '@tabler/icons-react';
import type { Schema } from '../../api/client';
import { When } from '../../components/Text';
import { approver } from '../../lib/words';
import css from './approvals.module.css';

/** Who is asked now, whom it goes to next, and when it ends: as a line through time. */
export function Escalation({ approval }: { approval: Schema<'ApprovalDetails'> }) {
  const said = (to: readonly Schema<'Approver'>[]) => to.map((each) => approver(each, approval.people)).join(', ');
  return (
    <ol className={css.line}>
      <li data-now>
        <span className={css.dot}><IconUser size={14} /></span>
        <div>
          <strong>{approval.waits_for.length ? said(approval.waits_for) : 'Nobody any more'}</strong>
          <div className="muted">{approval.stages > 1 && approval.stage != null ? `stage ${approval.stage + 1} of ${approval.stages}` : 'asked now'}</div>
        </div>
      </li>
      {approval.escalation.map((step) => (
        <li key={step.at} data-now={step.is_taken || undefined}>
          <span className={css.dot}><IconArrowUp size={14} /></span>
          <div>
            <strong>{said(step.to)}</strong>
            <div className="muted">{step.is_taken ? 'asked since' : 'asked as well'} <When at={step.at} /></div>
          </div>
        </li>
      ))}
      <li>
        <span className={css.dot}><IconClock size={14} /></span>
        <div>
          <strong>The request expires</strong>
          <div className="muted"><When at={approval.deadline_at} full /></div>
        </div>
      </li>
    </ol>
  );
}

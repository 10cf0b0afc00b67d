import { IconCertificate, IconCheck, IconClipboardCheck, IconMail, IconSignature, IconUsers, IconX, type Icon } from '@tabler/icons-react';
import css from './requests.module.css';

interface Step {
  name: string;
  icon: Icon;
  text: string;
}

const STEPS: Step[] = [
  { name: 'Asked', icon: IconMail, text: 'taken and durable' },
  { name: 'Rules', icon: IconClipboardCheck, text: 'the profile decides' },
  { name: 'People', icon: IconUsers, text: 'where the profile asks' },
  { name: 'CA', icon: IconSignature, text: 'signs what was decided' },
  { name: 'Inventory', icon: IconCertificate, text: 'checked and recorded' },
];

/** How far a request of this state is, and whether it ended there. */
const PLACES: Record<string, { at: number; ended?: boolean }> = {
  rejected: { at: 1, ended: true },
  'awaiting-approval': { at: 2 },
  denied: { at: 2, ended: true },
  expired: { at: 2, ended: true },
  approved: { at: 3 },
  signing: { at: 3 },
  'awaiting-issuer': { at: 3 },
  failed: { at: 3, ended: true },
  cancelled: { at: 3, ended: true },
  issued: { at: 5 },
};

/** The pipeline as a picture, with the request in its place. */
export function Pipeline({ status }: { status: string }) {
  const { at, ended } = PLACES[status] ?? { at: 0 };
  return (
    <ol className={css.pipeline} aria-label={`The request is ${status.replaceAll('-', ' ')}`}>
      {STEPS.map(({ name, icon: StepIcon, text }, index) => {
        const state = index < at ? 'done' : index === at ? (ended ? 'ended' : 'now') : 'later';
        const Shown = state === 'done' ? IconCheck : state === 'ended' ? IconX : StepIcon;
        return (
          <li key={name} data-state={state} aria-current={state === 'now' ? 'step' : undefined}>
            <span className={css.stepIcon}><Shown size={18} /></span>
            <strong>{name}</strong>
            <span className="muted">{text}</span>
          </li>
        );
      })}
    </ol>
  );
}

import {
  IconBuildingBank,
  IconCertificate,
  IconChecklist,
  IconFilePlus,
  IconLayoutDashboard,
  IconRobot,
  IconScale,
  IconSettings,
  type Icon,
} from '@tabler/icons-react';

export interface Destination {
  to: string;
  label: string;
  icon: Icon;
  /** The permission without which the page is empty. */
  needs?: string;
  /** Also in the bar at the bottom of phones. */
  thumb?: boolean;
}

export const DESTINATIONS: Destination[] = [
  { to: '/', label: 'Overview', icon: IconLayoutDashboard, thumb: true },
  { to: '/certificates', label: 'Certificates', icon: IconCertificate, needs: 'certificates:read', thumb: true },
  { to: '/approvals', label: 'Approvals', icon: IconChecklist, needs: 'approvals:read', thumb: true },
  { to: '/requests', label: 'Requests', icon: IconFilePlus, needs: 'certificates:read', thumb: true },
  { to: '/automation', label: 'Automation', icon: IconRobot, needs: 'acme:read' },
  { to: '/issuers', label: 'Issuers', icon: IconBuildingBank, needs: 'issuers:read' },
  { to: '/policy', label: 'Policy', icon: IconScale, needs: 'policy:read' },
  { to: '/administration', label: 'Administration', icon: IconSettings, needs: 'access:read' },
];

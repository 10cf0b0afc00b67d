import { Button } from '@mantine/core';
import { IconFilePlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMay } from '../../api/session';
import { grid, Page } from '../../components/Page';
import { When } from '../../components/Text';
import { Activity } from './Activity';
import { Attention } from './Attention';
import { Ending } from './Ending';
import { IssuerCards } from './IssuerCards';
import { summaryQuery } from './queries';
import { Tiles } from './Tiles';
import { Arrivals } from './Arrivals';

/** What an operator leaves open all day. */
export function Overview() {
  const may = useMay();
  const { data: summary } = useQuery(summaryQuery);
  return (
    <Page
      title="Overview"
      lead={summary ? <>Figures of <When at={summary.at} />, for what you may see.</> : '\u00a0'}
      actions={
        may('certificates:request') && (
          <Button component={Link} to="/requests/new" leftSection={<IconFilePlus size={18} />}>
            Request a certificate
          </Button>
        )
      }
    >
      <Tiles />
      <div className={grid.grid}>
        <Attention className={grid.span7} />
        <Activity className={grid.span5} />
        <Ending className={grid.span7} />
        <Arrivals className={grid.span5} />
      </div>
      <IssuerCards />
    </Page>
  );
}

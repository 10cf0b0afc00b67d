import { Link } from '@tanstack/react-router';
import css from './shell.module.css';

export function Brand() {
  return (
    <Link to="/" className={css.brand}>
      <img src="/icon.svg" width={28} height={28} alt="" className={css.logo} />
      Certwright
    </Link>
  );
}

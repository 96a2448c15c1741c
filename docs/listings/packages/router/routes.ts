import { createRouter } from '@thereafter/router';

const router = createRouter<string>();
router.add('GET', '/users/:id', 'one user');
router.compile();

router.find('GET', '/users/7?full=true'); // { store: 'one user', params: { id: '7' }, searchParams: 'full=true' }
router.find('GET', '/nowhere'); // 'unknown'
router.allowedMethods('/users/7'); // ['GET', 'HEAD', 'OPTIONS']

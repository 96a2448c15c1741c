import { element, setText } from './element.js';
import { formatCount } from './format.js';

const list = document.getElementById('route-list');
const filter = document.getElementById('route-filter');

/** The route table of the app: it does not change while the app runs. */
export class RoutesView {
  #routes;

  constructor(routes) {
    this.#routes = routes.map((route) => {
      const { method, path, handler } = route;
      const isNamed = handler !== `${method} ${path}`;
      const node = element('li', {}, [
        element('div', { class: 'route-columns' }, [
          element('span', { class: 'method' }, [method]),
          element('span', { class: 'path' }, [path]),
          element('span', { class: 'soft handler' }, [isNamed ? handler : '']),
        ]),
      ]);
      return { node, text: `${method} ${path} ${handler}`.toLowerCase() };
    });
    list.append(...this.#routes.map(({ node }) => node));
    filter.addEventListener('input', () => this.#render());
  }

  show(isShown) {
    if (isShown) this.#render();
  }

  #render() {
    const text = filter.value.trim().toLowerCase();
    let count = 0;
    for (const route of this.#routes) {
      const fits = route.text.includes(text);
      route.node.hidden = !fits;
      if (fits) count++;
    }
    document.getElementById('route-empty').hidden = count > 0;
    setText(document.getElementById('route-count'), formatCount(count, 'route'));
  }
}


"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const keywords = new Set(data.keywords);
  const explorers = [];
  let active = null;

  const element = (name, kind, text) => {
    const made = document.createElement(name);
    if (kind) made.className = kind;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // Where a timeline stands after a step: the index of its last entry at or before it.
  const at = (timeline, step) => {
    let low = 0, high = timeline.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (timeline[middle][0] <= step) low = middle; else high = middle - 1;
    }
    return low;
  };

  const token = /(\/\/.*|\/\*.*?(?:\*\/|$))|("(?:\\.|[^"\\])*")|([A-Za-z_][A-Za-z0-9_]*)/g;
  const paint = (into, line, inside) => {
    // One line of a model; `inside` a comment of several lines. Returns whether the next one is.
    let from = 0;
    if (inside) {
      const end = line.indexOf("*/");
      from = end < 0 ? line.length : end + 2;
      into.append(element("span", "c", line.slice(0, from)));
      if (end < 0) return true;
    }
    token.lastIndex = from;
    for (let found; (found = token.exec(line)); ) {
      const kind = found[1] ? "c" : found[2] ? "s" : keywords.has(found[3]) ? "k" : "";
      if (!kind) continue;
      into.append(line.slice(from, found.index), element("span", kind, found[0]));
      from = token.lastIndex;
      if (found[1] && found[1].startsWith("/*") && !found[1].endsWith("*/")) return true;
    }
    into.append(line.slice(from));
    return false;
  };

  class Explorer {
    constructor(root) {
      this.root = root;
      this.id = root.dataset.witness;
      this.witness = data.witnesses[this.id];
      this.length = this.witness.steps.length;
      this.find = (selector) => root.querySelector(selector);
      this.all = (selector) => [...root.querySelectorAll(selector)];
      this.byNumber = (name) => new Map(this.all(`[data-${name}]`).map((one) => [Number(one.dataset[name]), one]));
      this.rows = this.byNumber("step");
      this.bands = this.byNumber("band");
      this.values = this.byNumber("cell");
      this.cellRows = this.byNumber("row");
      this.was = this.byNumber("was");
      this.since = this.byNumber("since");
      this.diagram = this.find(".diagram");
      this.slider = this.find("input[type=range]");
      this.select = this.find("select");
      this.files = new Map();
      this.file = null;
      this.step = this.length;
      this.listen();
      this.show(this.length);
    }

    listen() {
      const go = { first: () => 0, back: () => this.step - 1, next: () => this.step + 1, last: () => this.length };
      this.root.addEventListener("pointerdown", () => { active = this; });
      this.root.addEventListener("focusin", () => { active = this; });
      this.root.addEventListener("click", (event) => {
        const target = event.target.closest("[data-go], [data-to], [data-since], [data-step], [data-line]");
        if (!target) return;
        const { go: way, to, since, step } = target.dataset;
        if (way) this.go(go[way]());
        else if (to !== undefined) this.go(Number(to), "nearest");
        else if (since !== undefined) this.go(this.entry(Number(since))[0]);
        else if (step !== undefined) this.go(Number(step));
        else this.goLine(target);
      });
      this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
      if (this.select) this.select.addEventListener("change", () => this.open(Number(this.select.value), null));
    }

    entry(cell) {
      const timeline = this.witness.cells[cell];
      return timeline[at(timeline, this.step)];
    }

    // To a step; `reveal`: where a link from outside brings the explorer into view.
    go(step, reveal = "") {
      const bounded = Math.max(0, Math.min(this.length, step));
      active = this;
      if (bounded !== this.step) this.show(bounded);
      if (reveal) this.find(".explorer").scrollIntoView({ block: reveal });
      remember(this);
    }

    key(name) {
      const keys = this.witness.keys;
      const ways = {
        ArrowRight: () => this.step + 1, ArrowDown: () => this.step + 1, j: () => this.step + 1,
        ArrowLeft: () => this.step - 1, ArrowUp: () => this.step - 1, k: () => this.step - 1,
        PageDown: () => this.step + 10, PageUp: () => this.step - 10,
        Home: () => 0, End: () => this.length,
        n: () => keys.find((one) => one > this.step) ?? this.length,
        p: () => keys.findLast((one) => one < this.step) ?? 0,
      };
      if (!Object.hasOwn(ways, name)) return false;
      this.go(ways[name]());
      return true;
    }

    show(step) {
      const before = this.step;
      this.step = step;
      this.slider.value = step;
      this.slider.setAttribute("aria-valuetext", `step ${step} of ${this.length}`);
      this.find("output").textContent = `${step} of ${this.length}`;
      for (const [way, end] of [["first", 0], ["back", 0], ["next", this.length], ["last", this.length]]) {
        this.find(`[data-go=${way}]`).setAttribute("aria-disabled", String(step === end));
      }
      this.rows.get(before).setAttribute("aria-selected", "false");
      this.bands.get(before).classList.remove("now");
      this.rows.get(step).setAttribute("aria-selected", "true");
      this.bands.get(step).classList.add("now");
      for (const one of [this.rows, this.bands]) for (const [number, row] of one) row.classList.toggle("later", number > step);
      this.diagram.setAttribute("aria-activedescendant", `${this.id}-s${step}`);
      this.showState();
      this.showStep();
      this.showSource();
      this.scroll();
    }

    showState() {
      for (const [number, value] of this.values) {
        const timeline = this.witness.cells[number];
        const index = at(timeline, this.step);
        const [since, text] = timeline[index];
        const changed = since === this.step && since > 0 && this.was.has(number);
        value.textContent = text ?? "";
        const row = this.cellRows.get(number);
        row.hidden = text === null;
        row.classList.toggle("changed", changed);
        const was = this.was.get(number);
        if (was) was.textContent = changed ? timeline[index - 1][1] ?? "" : "";
        const button = this.since.get(number);
        if (button) {
          button.hidden = since === 0;
          button.textContent = since;
          button.setAttribute("aria-label", `go to step ${since}, which set it`);
        }
      }
    }

    showStep() {
      const into = this.find(".step");
      into.replaceChildren();
      if (this.step === 0) {
        into.append(element("div", "dim", "before the first step: the initial state"));
        return;
      }
      const step = this.witness.steps[this.step - 1];
      const head = element("div");
      head.append(element("span", "who", step.thread), ": ", element("span", "what", step.statement));
      into.append(head, element("div", "dim", `${step.place}${step.c ? `, ${step.c}` : ""}`));
      if (step.stack.length > 1) into.append(element("div", "dim", `in ${step.stack.join(" > ")}`));
      for (const [cell, before, after] of this.changes()) {
        const said = after === null ? `${cell} is gone` : before === null ? `${cell} = ${after}` : `${cell}: ${before} \u2192 ${after}`;
        into.append(element("div", "change", said));
      }
    }

    changes() {
      const found = [];
      this.witness.cells.forEach((timeline, number) => {
        const index = at(timeline, this.step);
        const name = this.witness.names[number];
        if (name !== null && index > 0 && timeline[index][0] === this.step) found.push([name, timeline[index - 1][1], timeline[index][1]]);
      });
      return found;
    }

    showSource() {
      if (!this.select || !this.seen) return;
      if (this.step === 0) {
        if (this.file === null) this.open(Number(this.select.value), null);
        else this.mark(null);
        return;
      }
      const step = this.witness.steps[this.step - 1];
      if (step.file >= 0) this.open(step.file, step.line);
    }

    open(number, line) {
      if (this.file !== number) {
        this.file = number;
        this.select.value = String(number);
        if (!this.files.has(number)) this.files.set(number, this.list(number));
        this.find(".lines").replaceChildren(this.files.get(number));
        this.find(".lines").scrollTop = 0;
      }
      this.mark(line);
    }

    // The lines of a file, each with the first of the steps that execute it.
    list(number) {
      const steps = new Map();
      this.witness.steps.forEach((step, index) => {
        if (step.file === number) steps.set(step.line, [...(steps.get(step.line) ?? []), index + 1]);
      });
      const list = element("ol");
      let inside = false;
      data.files[number].text.split("\n").forEach((text, index) => {
        const line = element("li");
        line.append(element("span", "", String(index + 1)));
        const here = steps.get(index + 1);
        if (here) {
          const button = element("button", "", here.length > 2 ? `${here[0]} \u00d7${here.length}` : here.join(","));
          button.dataset.line = here.join(" ");
          button.title = `executed at ${here.length > 1 ? "steps" : "step"} ${here.join(", ")}`;
          button.setAttribute("aria-label", button.title);
          line.append(button);
        } else line.append(element("i"));
        const code = element("pre");
        inside = paint(code, text, inside);
        line.append(code);
        list.append(line);
      });
      return list;
    }

    // To the next of the steps that execute a line, and from the last of them to the first.
    goLine(button) {
      const steps = button.dataset.line.split(" ").map(Number);
      this.go(steps.find((step) => step > this.step) ?? steps[0]);
    }

    mark(line) {
      const pane = this.find(".lines");
      for (const old of pane.querySelectorAll(".current")) {
        old.classList.remove("current");
        old.removeAttribute("aria-current");
      }
      const now = line === null ? null : this.files.get(this.file).children[line - 1];
      if (!now) return;
      now.classList.add("current");
      now.setAttribute("aria-current", "step");
      const top = now.offsetTop;
      if (top < pane.scrollTop + 34 || top > pane.scrollTop + pane.clientHeight - 51) pane.scrollTop = top - pane.clientHeight / 2;
    }

    // The current row inside of the diagram's own box; the page stays where it is.
    scroll() {
      const box = this.diagram;
      const row = this.rows.get(this.step).querySelector(".hit");
      const body = this.find(".body");
      const heads = Math.max(this.find(".over").offsetHeight, this.find(".heads").getBoundingClientRect().height);
      const top = body.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop;
      const y = top + row.y.baseVal.value, height = row.height.baseVal.value;
      const below = this.step === this.length ? body.height.baseVal.value - row.y.baseVal.value - height : 28;
      if (this.step === 0) box.scrollTo(0, 0);
      else if (y - heads - 28 < box.scrollTop) box.scrollTop = y - heads - 28;
      else if (y + height + below > box.scrollTop + box.clientHeight) box.scrollTop = y + height + below - box.clientHeight;
      const dot = this.rows.get(this.step).querySelector("circle");
      if (!dot) return;
      const x = dot.cx.baseVal.value;
      if (x < box.scrollLeft + 40 || x > box.scrollLeft + box.clientWidth * 0.7) box.scrollLeft = Math.max(0, x - box.clientWidth * 0.3);
    }

    // Files are listed when the witness is looked at for the first time: some reports have many.
    look() {
      if (this.seen) return;
      this.seen = true;
      this.showSource();
    }
  }

  // The address names the step, so that it can be sent. Browsers ration changes of it: it waits until the stepping rests.
  let timer = 0;
  const remember = (explorer) => {
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(null, "", `#${explorer.id}-${explorer.step}`), 250);
  };
  const follow = () => {
    const found = /^#(w\d+)-(\d+)$/.exec(location.hash);
    const explorer = found && explorers.find((one) => one.id === found[1]);
    if (explorer) explorer.go(Number(found[2]), "start");
  };

  const nearest = () => {
    if (active) return active;
    const middle = innerHeight / 2;
    const away = (one) => {
      const box = one.root.getBoundingClientRect();
      return box.top > middle ? box.top - middle : Math.max(0, middle - box.bottom);
    };
    return explorers.toSorted((one, other) => away(one) - away(other))[0];
  };

  const anywhere = new Set(["ArrowLeft", "ArrowRight", "j", "k", "n", "p"]);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (event.target.closest("select, input")) return;
    const scrolls = event.target.closest(".state, .lines");
    const inside = event.target.closest(".diagram, .now");
    if (scrolls ? !"jknp".includes(event.key) : !inside && !anywhere.has(event.key)) return;
    const explorer = nearest();
    if (explorer && explorer.key(event.key)) event.preventDefault();
  });

  const theme = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const label = () => {
    theme.textContent = isDark() ? "light" : "dark";
    theme.setAttribute("aria-label", `switch to ${theme.textContent} colours`);
  };
  theme.hidden = false;
  theme.addEventListener("click", () => { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; label(); });
  dark.addEventListener("change", label);
  label();

  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) explorers.find((one) => one.root === entry.target).look();
  });
  for (const root of document.querySelectorAll("[data-witness]")) {
    explorers.push(new Explorer(root));
    watcher.observe(root);
  }
  addEventListener("hashchange", follow);
  follow();
})();

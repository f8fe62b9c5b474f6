/* The charts in the page's colours: those of the states that each names, or of reports, and of the
   theme. */

const READY_MS = 100;
const TRIES = 100;

function colour(name) {
  const probe = document.createElement("i");
  probe.dataset.state = name;
  document.body.append(probe);
  const found = getComputedStyle(probe).getPropertyValue("--c").trim();
  probe.remove();
  return found;
}

function dress(element, tries = TRIES) {
  const chart = window.getElement?.(element.id.replace(/^c/, ""))?.chart;
  if (!chart) {
    if (tries) setTimeout(() => dress(element, tries - 1), READY_MS);
    return;
  }
  const style = getComputedStyle(document.documentElement);
  const [ink, soft, line, card] = ["ink", "soft", "line", "card"].map((name) =>
    style.getPropertyValue(`--${name}`).trim());
  const names = element.dataset.colors.split(" ").filter(Boolean);
  const axis = {
    axisLabel: { color: soft }, nameTextStyle: { color: soft },
    axisLine: { lineStyle: { color: line } }, splitLine: { lineStyle: { color: line } },
  };
  const options = chart.getOption();
  const each = (axes) => (axes ?? []).map(() => axis);
  const { light, dark } = element.dataset;
  const theme = document.documentElement.dataset.theme === "dark" ? dark : light;
  const own = names.length ? names.map(colour) : theme.split(" ");
  const before = options.color?.length ?? 0;  // the library keeps what is not overwritten
  const colours = Array.from({ length: Math.max(own.length, before) }, (_, n) => own[n % own.length]);
  const aim = { lineStyle: { color: ink }, label: { color: ink } };
  const series = (options.series ?? []).map(({ type, data, markLine }) =>
    markLine ? { markLine: aim, ...(data?.length ? {} : { lineStyle: { color: ink } }) } : type === "treemap" ? { color: colours, label: { color: style.getPropertyValue("--on").trim() },
      upperLabel: { color: ink, backgroundColor: card }, itemStyle: { borderColor: card } } : {});
  chart.setOption({
    series,
    color: colours,
    textStyle: { color: ink, fontFamily: getComputedStyle(document.body).fontFamily },
    legend: (options.legend ?? []).map(() => ({ textStyle: { color: ink } })),
    xAxis: each(options.xAxis),
    yAxis: each(options.yAxis),
    tooltip: { backgroundColor: card, borderColor: line, textStyle: { color: ink } },
  });
}

function dressAll() {
  for (const element of document.querySelectorAll("[data-chart]")) dress(element);
}

new MutationObserver(dressAll).observe(document.documentElement, {
  attributeFilter: ["data-theme"],
});
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      if (node.nodeType !== 1) continue;
      if (node.matches("[data-chart]")) dress(node);
      for (const element of node.querySelectorAll("[data-chart]")) dress(element);
    }
  }
}).observe(document.body, { childList: true, subtree: true });
dressAll();

// Runs ECharts where there is no browser. Nothing here depends on time or chance.
Math.random = function () { return 0.5; };
Date.now = function () { return 0; };
var setTimeout = function () { return 0; }, clearTimeout = function () {};
var setInterval = setTimeout, clearInterval = clearTimeout;
var requestAnimationFrame = setTimeout, cancelAnimationFrame = clearTimeout;
var console = { log: function () {}, warn: function () {}, error: function () {}, info: function () {} };
/*ECHARTS*/
var advances = {};

// The width of a text: the sum of its characters' advances. Fonts are CSS: "bold 12px Family".
function measure(text, font) {
  var parts = /([\d.]+)px\s+(.*)$/.exec(font || '') || [null, '12', ''];
  var family = parts[2].replace(/["']/g, ''), size = parseFloat(parts[1]);
  var table = advances[family] || {}, width = 0;
  for (var character of text) width += table[character] === undefined ? 0.6 : table[character];
  return { width: width * size };
}
echarts.setPlatformAPI({
  measureText: measure,
  createCanvas: function () {
    return { getContext: function () { return { measureText: function (text) { return measure(text, this.font); } }; } };
  },
});

// Replaces "@texts" by a function that returns the text of a tick or a point, from the list beside it.
function formatters(node) {
  if (node === null || typeof node !== 'object') return;
  if (node.formatter === '@texts') {
    var texts = node.texts, ticks = node.ticks;
    node.formatter = ticks === undefined
      ? function (one) { return typeof one === 'object' ? texts[one.dataIndex] : texts[arguments[1]]; }
      : function (value) {
          var best = 0;
          for (var i = 1; i < ticks.length; i++) {
            if (Math.abs(ticks[i] - value) < Math.abs(ticks[best] - value)) best = i;
          }
          var step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : 1;
          return Math.abs(ticks[best] - value) < 0.01 * step ? texts[best] : '';
        };
    delete node.texts;
    delete node.ticks;
  }
  for (var key in node) formatters(node[key]);
}

// A custom series of error bars: each item is [place, low, high].
function errors(series) {
  var cap = series.cap, stroke = series.stroke, lying = series.lying, shift = series.shift || 0;
  series.renderItem = function (params, api) {
    var place = api.value(0), ends = [api.value(1), api.value(2)].map(function (value) {
      return api.coord(lying ? [value, place] : [place, value]);
    });
    var slot = api.size(lying ? [0, 1] : [1, 0])[lying ? 1 : 0] * shift, lines = [];
    function line(x1, y1, x2, y2) {
      lines.push({ type: 'line', shape: { x1: x1, y1: y1, x2: x2, y2: y2 }, style: { stroke: stroke, lineWidth: 1 } });
    }
    ends.forEach(function (end) { end[lying ? 1 : 0] += slot; });
    line(ends[0][0], ends[0][1], ends[1][0], ends[1][1]);
    ends.forEach(function (end) {
      if (lying) line(end[0], end[1] - cap, end[0], end[1] + cap);
      else line(end[0] - cap, end[1], end[0] + cap, end[1]);
    });
    return { type: 'group', children: lines };
  };
}

function draw(text) {
  var given = JSON.parse(text), options = given[0];
  advances = given[3];
  formatters(options);
  (options.series || []).forEach(function (series) { if (series.type === 'custom') errors(series); });
  var chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: given[1], height: given[2] });
  try {
    chart.setOption(options);
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

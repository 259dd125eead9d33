extern alias dashboard;

using dashboard::OpenHands.Dashboard.Otlp.Protocol;
using dashboard::OpenHands.Dashboard.Telemetry;

namespace OpenHands.Tests.Dashboard;

/// <summary>What is kept of the telemetry: enough to see, and never more than there is room for.</summary>
public sealed class TelemetryStoreTests
{
    [Fact]
    public void A_trace_is_a_tree_in_whatever_order_its_spans_come()
    {
        var store = new TraceStore();
        store.Add(Sent.Traces(Sent.Span(1, 3, parent: 2, start: 3, name: "third"), Sent.Span(1, 4, parent: 9, start: 1, name: "orphan")));
        store.Add(Sent.Traces(Sent.Span(1, 2, parent: 1, start: 2, name: "second"), Sent.Span(1, 1, milliseconds: 100, name: "first")));

        var trace = Assert.Single(store.Find(_ => true, 10));
        Assert.Equal("first", trace.Root.Name);
        Assert.Equal(TimeSpan.FromMilliseconds(100), trace.Duration);
        Assert.Equal(["first 0", "second 1", "third 2", "orphan 0"], trace.Tree().Select(row => $"{row.Span.Name} {row.Depth}"));
    }

    [Fact]
    public void Spans_that_claim_to_cause_each_other_are_shown_once_or_not_at_all()
    {
        var store = new TraceStore();
        store.Add(Sent.Traces(Sent.Span(1, 1, parent: 2), Sent.Span(1, 2, parent: 1), Sent.Span(1, 3, parent: 3), Sent.Span(1, 3)));

        Assert.InRange(Assert.Single(store.Find(_ => true, 10)).Tree().Count, 2, 4);
    }

    [Fact]
    public void A_flood_of_traces_leaves_the_newest()
    {
        var store = new TraceStore();
        for (var batch = 0; batch < 300; batch++)
        {
            store.Add(Sent.Traces(Enumerable.Range(1, 100).Select(i => Sent.Span((batch * 100) + i, 1))));
        }

        Assert.Equal(TraceStore.Capacity, store.Count);
        Assert.NotNull(store.Find(Convert.ToHexStringLower(Sent.Id(30_000, 16).Span)));
        Assert.Null(store.Find(Convert.ToHexStringLower(Sent.Id(1, 16).Span)));
    }

    [Fact]
    public void Large_spans_take_no_more_than_the_room_there_is()
    {
        var store = new TraceStore();
        var large = new string('x', 100_000);
        for (var i = 1; i <= 500; i++)
        {
            var span = Sent.Span(i, 1);
            span.Attributes.Add(Enumerable.Range(0, 200).Select(n => Sent.Attribute($"attribute {n}", large)));
            store.Add(Sent.Traces(span));
        }

        Assert.InRange(store.Bytes, 1, TraceStore.MostBytes);
        Assert.InRange(store.Count, 1, 499);
    }

    [Fact]
    public void A_trace_without_end_is_cut_and_its_sender_told()
    {
        var store = new TraceStore();
        Assert.Equal(500, store.Add(Sent.Traces(Enumerable.Range(1, TraceStore.MostSpans + 500).Select(i => Sent.Span(1, i)))));
        Assert.Equal(1, store.Add(Sent.Traces(new Span { Name = "no ids" })));
    }

    [Fact]
    public void A_million_log_lines_leave_the_newest_ten_thousand()
    {
        var store = new LogStore();
        for (var batch = 0; batch < 1000; batch++)
        {
            store.Add(Sent.Logs(Enumerable.Range(0, 1000).Select(i => $"line {(batch * 1000) + i}")));
        }

        var lines = store.Find(_ => true, int.MaxValue);
        Assert.Equal(LogStore.Capacity, lines.Count);
        Assert.Equal(1_000_000, store.Version);
        Assert.Equal("line 999999", lines[0].Message);
    }

    [Fact]
    public void A_counter_is_shown_by_what_each_interval_brought()
    {
        var store = new MetricStore();
        foreach (var value in new[] { 100, 103, 103, 110, 4 })
        {
            store.Add(Sent.Metrics(new Metric
            {
                Name = "done",
                Sum = new Sum { IsMonotonic = true, AggregationTemporality = 2, DataPoints = { new NumberDataPoint { AsInt = value } } },
            }));
        }

        var instrument = Assert.Single(store.Find("api"));
        Assert.Equal(InstrumentKind.Counter, instrument.Kind);
        Assert.Equal(4, instrument.Latest);
        // What it had before is no interval's; a restart begins from nothing.
        Assert.Equal([0, 3, 0, 7, 4], instrument.Points);
    }

    [Fact]
    public void A_histogram_is_shown_by_the_quantiles_of_its_last_interval()
    {
        var store = new MetricStore();
        foreach (var buckets in new ulong[][] { [1000, 0, 0], [1000, 100, 0] })
        {
            store.Add(Sent.Metrics(new Metric
            {
                Name = "took",
                Unit = "s",
                Histogram = new Histogram
                {
                    AggregationTemporality = 2,
                    DataPoints = { new HistogramDataPoint { Count = (ulong)buckets.Sum(count => (long)count), BucketCounts = { buckets }, ExplicitBounds = { 1, 3 } } },
                },
            }));
        }

        var instrument = Assert.Single(store.Find("api"));
        Assert.Equal(1100, instrument.Latest);
        Assert.Equal(2, instrument.Median);
        Assert.Equal(2.98, Assert.Single(instrument.Series).NinetyNinth!.Value, precision: 2);
    }

    [Fact]
    public void Series_without_end_are_refused_and_their_sender_told()
    {
        var store = new MetricStore();
        var points = Enumerable.Range(0, 1000).Select(i => new NumberDataPoint { AsInt = i, Attributes = { Sent.Attribute("user", $"{i}") } });
        Assert.Equal(1000 - MetricStore.MostSeriesOfInstrument, store.Add(Sent.Metrics(new Metric { Name = "by user", Gauge = new Gauge { DataPoints = { points } } })));

        for (var i = 0; i < 10_000; i++)
        {
            store.Add(Sent.Metrics(new Metric { Name = $"instrument {i}", Gauge = new Gauge { DataPoints = { new NumberDataPoint { AsDouble = double.NaN } } } }));
        }

        Assert.InRange(store.Find(null).Sum(instrument => instrument.Series.Count), 1, MetricStore.MostSeries);
    }
}

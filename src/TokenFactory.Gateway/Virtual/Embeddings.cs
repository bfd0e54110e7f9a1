using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using TokenFactory.Workload;

namespace TokenFactory.Gateway.Virtual;

/// <summary>Writes made-up vectors of length 1 that follow from their input alone.</summary>
internal static class Embeddings
{
    private const int UsualDimensions = 1024;

    /// <summary>The whole answer as one JSON object.</summary>
    public static void Write(IBufferWriter<byte> to, VirtualAsk ask, Job job, string model, UsageFault fault)
    {
        using var json = new Utf8JsonWriter(to);
        json.WriteStartObject();
        json.WriteString("object"u8, "list"u8);
        json.WriteString("model"u8, model);
        json.WriteStartArray("data"u8);
        for (var i = 0; i < ask.Prompts.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("object"u8, "embedding"u8);
            json.WriteNumber("index"u8, i);
            json.WritePropertyName("embedding"u8);
            WriteVector(json, Vector(ask.Prompts[i].Key, ask.Dimensions ?? UsualDimensions), ask.Base64);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (fault != UsageFault.Missing)
        {
            json.WritePropertyName("usage"u8);
            UsageJson.Write(json, UsageJson.Of(ask, job, 0, fault));
        }

        json.WriteEndObject();
    }

    private static float[] Vector(ulong key, int dimensions)
    {
        var (draws, vector, squares) = (new Draws(key, "vector"), new float[dimensions], 0.0);
        for (var i = 0; i < dimensions; i++)
        {
            vector[i] = (float)Normal.Quantile(draws.InnerShare());
            squares += (double)vector[i] * vector[i];
        }

        for (var i = 0; i < dimensions; i++)
            vector[i] = (float)(vector[i] / Math.Sqrt(squares));
        return vector;
    }

    private static void WriteVector(Utf8JsonWriter json, float[] vector, bool base64)
    {
        if (base64)
        {
            var bytes = new byte[vector.Length * sizeof(float)];
            for (var i = 0; i < vector.Length; i++)
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
            json.WriteBase64StringValue(bytes);
            return;
        }

        json.WriteStartArray();
        foreach (var number in vector)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}

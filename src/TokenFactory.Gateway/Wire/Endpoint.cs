namespace TokenFactory.Gateway.Wire;

/// <summary>Which endpoint of the OpenAI API.</summary>
public enum Endpoint
{
    /// <summary>/v1/chat/completions.</summary>
    Chat,

    /// <summary>/v1/completions.</summary>
    Completions,

    /// <summary>/v1/embeddings.</summary>
    Embeddings,

    /// <summary>/v1/responses.</summary>
    Responses,
}

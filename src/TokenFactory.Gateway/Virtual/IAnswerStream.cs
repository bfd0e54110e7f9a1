using System.Buffers;

namespace TokenFactory.Gateway.Virtual;

/// <summary>Writes answers piece by piece.</summary>
internal interface IAnswerStream
{
    /// <summary>Tokens that were written.</summary>
    int Sent { get; }

    /// <summary>Writes what is there and was not written, up to so many tokens in all.</summary>
    /// <returns>Whether all has been written.</returns>
    bool Write(IBufferWriter<byte> to, long most);

    /// <summary>Ends the stream.</summary>
    void Finish(IBufferWriter<byte> to);
}

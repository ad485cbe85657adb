//! An echo server and its clients, on a multithreaded runtime.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await
            });
        }
    });
    let client = move |n: u8| async move {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&[n; 64]).await?;
        stream.shutdown().await?;
        let mut echo = Vec::new();
        stream.read_to_end(&mut echo).await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
        std::io::Result::Ok(echo.len())
    };
    let clients: Vec<_> = (0..20).map(|n| tokio::spawn(client(n))).collect();
    let mut sum = 0;
    for client in clients {
        sum += client.await??;
    }
    println!("{sum}");
    Ok(())
}
